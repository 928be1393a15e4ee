#include "watches.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pw {
namespace {

/** Questions under way at once. They take turns at the kernel's lock anyway, and deletes want threads as well. */
constexpr size_t kMostAsking = 4;
/** Notices taken from one socket in a row: a guest that never falls silent must not keep us from hearing others. */
constexpr int kMostInARow = 256;
/** How often a guest is looked at whose end nothing tells. */
constexpr std::chrono::milliseconds kLookEvery{500};

Failure closedFailure() { return refusal(Reason::closed, "the watch is closed"); }

}  // namespace

Watch::Watch(uint64_t id, const Watching& options)
    : id_(id),
      notables_(options.notables),
      life_(options.pid, options.path, options.netns == nullptr ? 0 : options.netns->dev,
            options.netns == nullptr ? 0 : options.netns->ino) {}

Failure Watch::open(const Watching& options) {
  if (Failure failure = NetlinkSocket::open(options.protocol, &listener_)) return failure;
  for (const uint32_t group : options.groups) {
    if (Failure failure = listener_.subscribe(group)) return failure;
  }
  return NetlinkSocket::open(options.protocol, &asker_);
}

bool Watch::noteworthy(View message) const {
  const uint16_t type = loadU16(message.data + 4);
  return std::any_of(notables_.begin(), notables_.end(), [&](const Notable& one) {
    return one.type == type && (!one.keep || one.keep->holds(message));
  });
}

std::vector<Answer> Watch::ask(const Stop& stop) {
  ReceiveBuffer buffer;
  std::vector<Answer> answers;
  for (Query& query : look_->queries) {
    Reply reply = asker_.request(&query.message, &buffer, stop);
    if (query.keep) reply.messages = kept(*query.keep, reply.messages);
    answers.push_back({reply.error, std::move(reply.text), std::move(reply.messages)});
  }
  return answers;
}

void Watches::add(const std::shared_ptr<Watch>& watch, const Done<Watched>& done) {
  if (watch->life_.byMounts() && !mounts_) {
    if (Failure failure = mounts_.open()) return done({failure, 0});
  }
  if (Failure failure = watch->life_.begin()) return done({failure, 0});
  watches_.push_back(watch);
  endIfSo(watch.get());
  done({{}, watch->id_});
}

std::shared_ptr<Watch> Watches::find(uint64_t id) const {
  const auto found = std::find_if(watches_.begin(), watches_.end(), [id](const auto& one) { return one->id_ == id; });
  return found == watches_.end() || (*found)->removed_ ? nullptr : *found;
}

void Watches::look(uint64_t id, std::vector<Query> queries, const Done<Looked>& done) {
  const auto watch = find(id);
  if (watch == nullptr || watch->look_) return done({closedFailure(), std::nullopt});
  watch->look_.emplace(Watch::Look{std::move(queries), done});
  serve();
}

void Watches::remove(uint64_t id, const Done<Failure>& done) {
  const auto watch = find(id);
  if (watch == nullptr) return done({});
  watch->removed_ = true;
  watch->removing_.push_back(done);
  release(watch.get());
  if (!watch->asking_) answered(watch, {});
}

void Watches::gather(std::vector<pollfd>* fds) {
  gathered_.clear();
  bool byMounts = false;
  for (const auto& watch : watches_) {
    if (watch->ended_ || watch->removed_) continue;
    byMounts = byMounts || watch->life_.byMounts();
    if (watch->life_.process() >= 0) {
      fds->push_back({watch->life_.process(), POLLIN, 0});
      gathered_.push_back({watch, true});
    }
    // Nobody asks how often something came; what is not taken from the socket costs nothing, and may overflow.
    if (!watch->noted_ && watch->listener_) {
      fds->push_back({watch->listener_.fd(), POLLIN, 0});
      gathered_.push_back({watch, false});
    }
  }
  if (!byMounts) return mounts_.close();
  fds->push_back(mounts_.wait());
  gathered_.push_back({nullptr, false});
}

int Watches::patience() const {
  const bool timed = std::any_of(watches_.begin(), watches_.end(),
                                 [](const auto& one) { return !one->ended_ && !one->removed_ && one->life_.timed(); });
  if (!timed) return -1;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(nextLook_ - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left + 1, 0, kLookEvery.count()));
}

void Watches::heard(const pollfd* fds) {
  bool mounts = false;
  for (size_t i = 0; i < gathered_.size(); i++) {
    if (fds[i].revents == 0) continue;
    const auto& [watch, process] = gathered_[i];
    if (watch == nullptr) {
      mounts = true;
    } else if (process) {
      endIfSo(watch.get());
    } else {
      hear(watch.get());
    }
  }
  const bool timed = Clock::now() >= nextLook_;
  if (timed) nextLook_ = Clock::now() + kLookEvery;
  for (const auto& watch : watches_) {
    if ((mounts && watch->life_.byMounts()) || (timed && watch->life_.timed())) endIfSo(watch.get());
  }
  gathered_.clear();
  serve();
}

void Watches::hear(Watch* watch) {
  for (int i = 0; i < kMostInARow && !watch->noted_; i++) {
    const ssize_t length = watch->listener_.receiveNotice(buffer_);
    if (length < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      // ENOBUFS: notices were lost, which is as good as one.
      watch->noted_ = true;
      if (errno == ENOBUFS) return;
      watch->failure_ = failedCall("recvmsg", errno);
      return watch->listener_.close();
    }
    MessageWalk walk({buffer_->data(), std::min(static_cast<size_t>(length), buffer_->size())});
    View message;
    while (walk.next(&message)) watch->noted_ = watch->noted_ || watch->noteworthy(message);
  }
}

/** What lies there now is older than the look that begins. */
void Watches::skip(Watch* watch) {
  for (int i = 0; i < kMostInARow; i++) {
    if (watch->listener_.receiveNotice(buffer_) < 0 && errno != ENOBUFS) return;
  }
}

void Watches::endIfSo(Watch* watch) {
  if (watch->ended_ || watch->removed_ || !watch->life_.ended()) return;
  watch->ended_ = true;
  release(watch);
}

void Watches::release(Watch* watch) {
  watch->listener_.close();
  watch->life_.close();
  // In use by a thread of the pool: closed when that is through.
  if (!watch->asking_) watch->asker_.close();
}

/** Begins whatever looks may begin. */
void Watches::serve() {
  const std::list<std::shared_ptr<Watch>> all = watches_;
  for (const auto& watch : all) {
    if (!watch->look_ || watch->asking_) continue;
    if (watch->ended_ || watch->failure_) {
      answered(watch, {});
      continue;
    }
    if (!watch->noted_ || asking_ >= kMostAsking) continue;
    watch->noted_ = false;
    skip(watch.get());
    watch->asking_ = true;
    asking_++;
    watches_.remove(watch);
    watches_.push_back(watch);
    pool_->submit([this, watch] {
      post_([this, watch, answers = watch->ask(stop_)] {
        watch->asking_ = false;
        asking_--;
        answered(watch, answers);
        serve();
      });
    });
  }
}

/** A look is over, or there will be none any more. */
void Watches::answered(const std::shared_ptr<Watch>& watch, std::vector<Answer> answers) {
  if (watch->ended_ || watch->removed_) watch->asker_.close();
  const auto look = std::exchange(watch->look_, std::nullopt);
  if (look) {
    if (watch->removed_) {
      look->done({closedFailure(), std::nullopt});
    } else if (watch->ended_) {
      look->done({});
    } else if (watch->failure_) {
      look->done({watch->failure_, std::nullopt});
    } else {
      look->done({{}, std::move(answers)});
    }
  }
  if (!watch->removed_) return;
  watches_.remove(watch);
  for (const auto& done : std::exchange(watch->removing_, {})) done({});
}

void Watches::close() {
  const std::list<std::shared_ptr<Watch>> all = watches_;
  for (const auto& watch : all) {
    watch->removed_ = true;
    release(watch.get());
    answered(watch, {});
  }
  mounts_.close();
}

}  // namespace pw
