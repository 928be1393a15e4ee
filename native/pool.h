#pragma once

#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "bell.h"

namespace pw {

/**
 * Threads for system calls that wait outside the RTNL lock. They never enter a namespace. All methods belong to one
 * owning thread, which is at home; it alone starts and joins the workers.
 */
class Pool {
 public:
  /** One delete takes the RTNL lock for 0.3 ms and then waits 20 ms for RCU: more than these are never in that wait. */
  static constexpr size_t kMost = 64;
  static constexpr std::chrono::seconds kIdleTime{2};

  /** `finished` is called on a worker that is about to end, so that the owner comes to collect(). */
  explicit Pool(std::function<void()> finished) : finished_(std::move(finished)) {}

  /** Runs at once on an idle or a new worker; when there are too many, after another job. */
  void submit(std::function<void()> job);
  /** Joins the workers that ended. */
  void collect();
  /** Waits for every job, then ends every worker. */
  void close();

 private:
  struct Worker {
    std::thread thread;
    Bell bell;
    std::function<void()> job;
    bool ended = false;
  };

  void work(Worker* self);
  bool awaitJob(Worker* self);

  std::function<void()> finished_;
  std::mutex mutex_;
  std::list<Worker> workers_;
  /** Last in, first out, so that those not needed grow old. */
  std::vector<Worker*> idle_;
  std::deque<std::function<void()>> queue_;
  bool closing_ = false;
};

}  // namespace pw
