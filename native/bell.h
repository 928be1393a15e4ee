#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>

namespace pw {

using Clock = std::chrono::steady_clock;

/**
 * Wakes one waiting thread; a ring before the wait is not lost. A futex of our own, because in the C++ library of
 * Debian 12 std::condition_variable needs GLIBC_2.30 (clockwait) and GLIBCXX_3.4.30 (wait), above the floor of Node 20.
 */
class Bell {
 public:
  void ring() {
    if (rung_.exchange(1, std::memory_order_acq_rel) == 0) futex(FUTEX_WAKE_PRIVATE, 1, nullptr);
  }

  /** Returns when rung or at `deadline`, whichever is first; also, rarely, for no reason. */
  void waitUntil(Clock::time_point deadline) {
    if (rung_.exchange(0, std::memory_order_acq_rel) == 1) return;
    if (deadline == Clock::time_point::max()) {
      futex(FUTEX_WAIT_PRIVATE, 0, nullptr);
    } else {
      const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - Clock::now()).count();
      if (left <= 0) return;
      timespec time{static_cast<time_t>(left / 1000000000), static_cast<long>(left % 1000000000)};
      futex(FUTEX_WAIT_PRIVATE, 0, &time);
    }
    // Not a plain store: this must see what a ringer that found the bell already rung had written before.
    rung_.exchange(0, std::memory_order_acq_rel);
  }

  void wait() { waitUntil(Clock::time_point::max()); }

 private:
  void futex(int operation, uint32_t value, const timespec* timeout) {
    static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t), "a futex is a plain u32");
    ::syscall(SYS_futex, reinterpret_cast<uint32_t*>(&rung_), operation, value, timeout, nullptr, 0);
  }

  std::atomic<uint32_t> rung_{0};
};

}  // namespace pw
