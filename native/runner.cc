#include "runner.h"

#include <cerrno>
#include <utility>

#include "thread.h"

namespace pw {
namespace {

Failure closedFailure() { return refusal(Reason::closed, "the runner is closed"); }

}  // namespace

void Runner::submit(Job job) {
  if (stop_.asked()) return job.refuse(closedFailure());
  if (!reaper_.usable() || stop_.fd() < 0) return job.refuse(failedCall("eventfd", EMFILE));
  if (!reaper_.started()) {
    const int error = reaper_.start([this] {
      refuseQueue(closedFailure());
      stopped_();
    });
    if (error != 0) return job.refuse(failedCall("clone", error, "(a thread)"));
  }
  enqueue(std::move(job));
}

void Runner::enqueue(Job job) {
  bool start;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    queue_.push_back(std::move(job));
    start = !std::exchange(alive_, true);
  }
  if (start) reaper_.post([this] { startNamespaceThread(); });
  bell_.ring();
}

bool Runner::stop() {
  if (stop_.asked()) return reaper_.started();
  stop_.ask();
  if (!reaper_.started()) return false;
  bool alive;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    alive = alive_;
  }
  if (!alive) reaper_.quit();
  bell_.ring();
  return true;
}

/** On the reaper's thread, which is at home: a thread starts in the namespace of the one that creates it. */
void Runner::startNamespaceThread() {
  if (thread_.joinable()) thread_.join();
  const int error = startThread(
      "pw-netns", [this] { namespaceThread(); }, &thread_);
  if (error == 0) return;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    alive_ = false;
  }
  refuseQueue(failedCall("clone", error, "(a thread)"));
  if (stop_.asked()) reaper_.quit();
}

void Runner::refuseQueue(const Failure& failure) {
  std::deque<Job> jobs;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    jobs.swap(queue_);
  }
  for (const Job& job : jobs) job.refuse(failure);
}

bool Runner::take(Job* job) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (queue_.empty()) return false;
  *job = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

void Runner::namespaceThread() {
  workplace_.home = Home();
  Failure homeless = workplace_.home.find();
  for (;;) {
    Job job;
    while (take(&job)) {
      // For want of a descriptor, perhaps; one may be free by now.
      if (homeless) homeless = workplace_.home.find();
      if (homeless) {
        job.refuse(homeless);
      } else if (stop_.asked() && !job.finishing) {
        job.refuse(closedFailure());
      } else {
        job.run();
      }
      job = Job();
      locks_.serve();
      if (workplace_.home.lost()) {
        // This thread ends where it is; what it owned passes to the next, which the reaper starts.
        reaper_.post([this] { startNamespaceThread(); });
        return;
      }
    }
    if (stop_.asked()) {
      locks_.refuseAll(closedFailure());
      if (reaping_ == 0) break;
      bell_.wait();
      continue;
    }
    locks_.serve();
    bell_.waitUntil(locks_.nextTime());
  }
  transactions_.clear();
  workplace_.homeSocket.close();
  // A closed runner may be forgotten by its owner much later; it holds no namespace until then.
  workplace_.home = Home();
  reaper_.post([this] {
    thread_.join();
    reaper_.quit();
  });
}

}  // namespace pw
