#include "reaper.h"

#include <linux/netlink.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "thread.h"

namespace pw {
namespace {

/** An ack is some hundred bytes. */
constexpr size_t kAckBuffer = 1u << 16;

}  // namespace

bool Reap::announcedBy(View notice) const {
  if (loadU16(notice.data + 4) != type || !notice.contains(offset, 4) || loadU32(notice.data + offset) != value)
    return false;
  // The family: a bridge announces a leaving port by the same type and index, before the link is gone (AF_BRIDGE).
  return notice.size > NLMSG_HDRLEN && notice.data[NLMSG_HDRLEN] == AF_UNSPEC;
}

Reaper::Reaper(const Stop& stop)
    : stop_(stop),
      bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      pool_([this] { post([this] { pool_.collect(); }); }),
      watches_(stop, &pool_, &buffer_, [this](std::function<void()> task) { post(std::move(task)); }) {}

int Reaper::start(std::function<void()> ended) {
  ended_ = std::move(ended);
  return startThread(
      "pw-notice", [this] { run(); }, &thread_);
}

void Reaper::join() {
  if (thread_.joinable()) thread_.join();
}

void Reaper::ring() {
  const uint64_t one = 1;
  if (::write(bell_.get(), &one, sizeof one) < 0) return;
}

void Reaper::post(std::function<void()> task) {
  {
    std::lock_guard<std::mutex> guard(mutex_);
    tasks_.push_back(std::move(task));
  }
  ring();
}

void Reaper::wait(std::function<void()> job) {
  post([this, job = std::move(job)] { pool_.submit(job); });
}

void Reaper::quit() {
  post([this] { quit_ = true; });
}

void Reaper::watch(std::shared_ptr<Watch> watch, Done<Watched> done) {
  post([this, watch = std::move(watch), done = std::move(done)] { watches_.add(watch, done); });
}

void Reaper::look(uint64_t watch, std::vector<Query> queries, Done<Looked> done) {
  auto asked = std::make_shared<std::vector<Query>>(std::move(queries));
  post([this, watch, asked, done = std::move(done)] { watches_.look(watch, std::move(*asked), done); });
}

void Reaper::unwatch(uint64_t watch, Done<Failure> done) {
  post([this, watch, done = std::move(done)] { watches_.remove(watch, done); });
}

void Reaper::reap(std::shared_ptr<Reap> reap) {
  post([this, reap] {
    reaps_.push_back(reap);
    // The sender's own system call returns 15 to 20 ms after the object is gone: the kernel waits for RCU in it.
    pool_.submit([this, reap] {
      ReceiveBuffer buffer(kAckBuffer);
      Reply ack = reap->sender.request(&reap->message, &buffer, stop_);
      reap->sender.close();
      post([this, reap, ack = std::move(ack)] {
        if (std::find(reaps_.begin(), reaps_.end(), reap) == reaps_.end()) return;
        // The notice is sent before the ack; it may lie unread. It also outweighs an ack that was lost.
        const bool refused = ack.error != 0 && ack.syscall.empty();
        const bool byNotice = !refused && heard(reap.get());
        finish(reap, byNotice, ack);
      });
    });
  });
}

void Reaper::run() {
  while (!quit_ || !reaps_.empty()) {
    listen();
    runTasks();
  }
  pool_.close();
  watches_.close();
  // What the workers posted since then concerns deletes and watches that have ended, and threads that are joined.
  tasks_.clear();
  ended_();
}

void Reaper::runTasks() {
  uint64_t rings;
  if (::read(bell_.get(), &rings, sizeof rings) < 0) return;
  std::vector<std::function<void()>> tasks;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
}

void Reaper::listen() {
  std::vector<pollfd> fds{{bell_.get(), POLLIN, 0}};
  std::vector<std::shared_ptr<Reap>> listening;
  for (const auto& reap : reaps_) {
    if (!reap->listener) continue;
    fds.push_back({reap->listener.fd(), POLLIN, 0});
    listening.push_back(reap);
  }
  const size_t watching = fds.size();
  watches_.gather(&fds);
  if (::poll(fds.data(), fds.size(), watches_.patience()) < 0) return;
  for (size_t i = 0; i < listening.size(); i++) {
    if (fds[i + 1].revents != 0 && heard(listening[i].get())) finish(listening[i], true, {});
  }
  watches_.heard(fds.data() + watching);
}

/** Reads what is there; true when the awaited notice was among it. */
bool Reaper::heard(Reap* reap) {
  while (reap->listener) {
    const ssize_t length = reap->listener.receiveNotice(&buffer_);
    if (length < 0) {
      // ENOBUFS: notices were lost, perhaps this one. From here on the ack decides.
      if (errno != EAGAIN && errno != EWOULDBLOCK) reap->listener.close();
      return false;
    }
    MessageWalk walk({buffer_.data(), std::min(static_cast<size_t>(length), buffer_.size())});
    View message;
    while (walk.next(&message)) {
      if (reap->announcedBy(message)) return true;
    }
  }
  return false;
}

void Reaper::finish(const std::shared_ptr<Reap>& reap, bool byNotice, const Reply& ack) {
  reap->listener.close();
  reaps_.remove(reap);
  const auto ended = std::exchange(reap->ended, nullptr);
  ended(byNotice, ack);
}

}  // namespace pw
