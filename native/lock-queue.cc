#include "lock-queue.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pw {
namespace {

/** A run holds the lock for one to two milliseconds. */
constexpr std::chrono::microseconds kShortestPause{100};
constexpr std::chrono::microseconds kLongestPause{5000};

}  // namespace

void LockQueue::add(Waiter waiter) {
  const auto deadline = Clock::now() + waiter.time;
  entries_.push_back({std::move(waiter), deadline});
}

void LockQueue::serve() {
  while (!held_ && !entries_.empty()) {
    if (Clock::now() < retryAt_) break;
    Lock lock;
    const Failure failure = lock.tryTake(entries_.front().waiter.path);
    if (failure.error == EWOULDBLOCK) {
      pause_ = std::clamp(pause_ + pause_ / 2, kShortestPause, kLongestPause);
      retryAt_ = Clock::now() + pause_;
      break;
    }
    const Waiter waiter = std::move(entries_.front().waiter);
    entries_.pop_front();
    pause_ = std::chrono::microseconds(0);
    retryAt_ = Clock::time_point{};
    if (failure) {
      waiter.refused(failure);
    } else {
      held_ = true;
      waiter.granted(std::move(lock));
    }
  }
  // After the attempt: one that may not wait at all has had its chance.
  refuseExpired(Clock::now());
}

void LockQueue::refuseExpired(Clock::time_point now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->deadline > now) {
      ++entry;
      continue;
    }
    const Waiter waiter = std::move(entry->waiter);
    if (entry == entries_.begin()) retryAt_ = Clock::time_point{};
    entry = entries_.erase(entry);
    waiter.refused(refusal(Reason::lockTimeout, "the lock " + waiter.path + " was not free within " +
                                                    std::to_string(waiter.time.count()) + " ms"));
  }
}

Clock::time_point LockQueue::nextTime() const {
  auto next = Clock::time_point::max();
  for (const Entry& entry : entries_) next = std::min(next, entry.deadline);
  if (!held_ && !entries_.empty()) next = std::min(next, retryAt_);
  return next;
}

void LockQueue::refuseAll(const Failure& failure) {
  std::deque<Entry> entries = std::exchange(entries_, {});
  for (const Entry& entry : entries) entry.waiter.refused(failure);
}

}  // namespace pw
