#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string>

#include "bell.h"
#include "lock.h"

namespace pw {

/**
 * First come, first served among the locked transactions of one runner; against other processes, flock() tried at
 * growing intervals. Nothing here waits: the thread that serves the queue asks when to come back.
 */
class LockQueue {
 public:
  struct Waiter {
    std::string path;
    std::chrono::milliseconds time{0};
    std::function<void(Lock)> granted;
    std::function<void(const Failure&)> refused;
  };

  void add(Waiter waiter);
  /** Whoever was granted the lock has released it. */
  void released() { held_ = false; }
  /** Grants and refuses what is due. */
  void serve();
  /** When serve() has something to do again; max(): nothing before released() or add(). */
  Clock::time_point nextTime() const;
  void refuseAll(const Failure& failure);

 private:
  struct Entry {
    Waiter waiter;
    Clock::time_point deadline;
  };

  void refuseExpired(Clock::time_point now);

  std::deque<Entry> entries_;
  bool held_ = false;
  Clock::time_point retryAt_ = Clock::time_point{};
  std::chrono::microseconds pause_{0};
};

}  // namespace pw
