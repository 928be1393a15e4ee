#include "pool.h"

#include <algorithm>
#include <utility>

#include "thread.h"

namespace pw {

void Pool::submit(std::function<void()> job) {
  Worker* fresh;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    if (!idle_.empty()) {
      Worker* worker = idle_.back();
      idle_.pop_back();
      worker->job = std::move(job);
      // Within the lock: the worker cannot end, and take its bell along, before this.
      worker->bell.ring();
      return;
    }
    if (workers_.size() >= kMost) {
      queue_.push_back(std::move(job));
      return;
    }
    fresh = &workers_.emplace_back();
    fresh->job = std::move(job);
  }
  if (startThread(
          "pw-reap", [this, fresh] { work(fresh); }, &fresh->thread) == 0)
    return;
  // No room for another thread: another worker takes it later, or, when there is none, the owner itself.
  std::unique_lock<std::mutex> guard(mutex_);
  job = std::move(fresh->job);
  workers_.pop_back();
  const bool someBusy =
      std::any_of(workers_.begin(), workers_.end(), [](const Worker& worker) { return !worker.ended; });
  if (someBusy) {
    queue_.push_back(std::move(job));
  } else {
    guard.unlock();
    job();
  }
}

void Pool::work(Worker* self) {
  do {
    self->job();
    self->job = nullptr;
  } while (awaitJob(self));
  finished_();
}

bool Pool::awaitJob(Worker* self) {
  std::unique_lock<std::mutex> guard(mutex_);
  if (!queue_.empty()) {
    self->job = std::move(queue_.front());
    queue_.pop_front();
    return true;
  }
  idle_.push_back(self);
  const auto deadline = Clock::now() + kIdleTime;
  while (!self->job) {
    if (closing_ || Clock::now() >= deadline) {
      idle_.erase(std::find(idle_.begin(), idle_.end(), self));
      self->ended = true;
      return false;
    }
    guard.unlock();
    self->bell.waitUntil(deadline);
    guard.lock();
  }
  return true;
}

void Pool::collect() {
  std::list<Worker> ended;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    for (auto worker = workers_.begin(); worker != workers_.end();) {
      const auto next = std::next(worker);
      if (worker->ended) ended.splice(ended.end(), workers_, worker);
      worker = next;
    }
  }
  for (Worker& worker : ended) worker.thread.join();
}

void Pool::close() {
  {
    std::lock_guard<std::mutex> guard(mutex_);
    closing_ = true;
    for (Worker* worker : idle_) worker->bell.ring();
  }
  // Only the owner adds and removes workers, so the list is stable without the lock.
  for (Worker& worker : workers_) worker.thread.join();
  workers_.clear();
}

}  // namespace pw
