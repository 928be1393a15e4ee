#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "bell.h"
#include "fd.h"

namespace pw {

/** The wish that everything end, made by one thread and seen by all, also by those that wait in poll(). */
class Stop {
 public:
  Stop() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  void ask() {
    asked_.store(true, std::memory_order_release);
    const uint64_t one = 1;
    // Cannot fail in a way that matters: the counter is far from its limit, and asked() says the same.
    if (::write(event_.get(), &one, sizeof one) < 0) return;
  }
  bool asked() const { return asked_.load(std::memory_order_acquire); }
  int fd() const { return event_.get(); }

 private:
  std::atomic<bool> asked_{false};
  Fd event_;
};

enum class Wake { ready, deadline, stopped, failed };

/** Waits until `fd` is readable. A stop cuts the wait to `grace`, so that an answer on its way is still taken. */
inline Wake waitReadable(int fd, const Stop& stop, Clock::time_point deadline, Clock::duration grace) {
  bool stopping = false;
  for (;;) {
    const auto now = Clock::now();
    if (!stopping && stop.asked()) {
      stopping = true;
      if (now + grace < deadline) deadline = now + grace;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now).count();
    if (left <= 0 && now >= deadline) return stopping ? Wake::stopped : Wake::deadline;
    pollfd fds[2] = {{fd, POLLIN, 0}, {stop.fd(), POLLIN, 0}};
    const int ready = ::poll(fds, stopping ? 1 : 2, left < 3600000 ? static_cast<int>(left) + 1 : 3600000);
    if (ready < 0 && errno != EINTR) return Wake::failed;
    if (ready > 0 && fds[0].revents != 0) return Wake::ready;
  }
}

}  // namespace pw
