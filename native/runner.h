#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bell.h"
#include "execution.h"
#include "lock-queue.h"
#include "reaper.h"
#include "requests.h"
#include "transaction.h"

namespace pw {

/**
 * One namespace thread (pw-netns) and one reaper. The namespace thread, and no other, enters namespaces, and owns every
 * transaction. All methods belong to the thread that made the runner, and return at once unless they say otherwise.
 */
class Runner {
 public:
  /** `stopped` is called on the reaper's thread once nothing is left but join(). */
  explicit Runner(std::function<void()> stopped) : reaper_(stop_), stopped_(std::move(stopped)), workplace_(stop_) {}

  void begin(Begin begin, Done<Begun> done);
  void query(uint64_t transaction, std::vector<Query> queries, Done<Answers> done);
  void run(uint64_t transaction, Program program, Slots slots, bool keep, Done<Ran> done);
  void end(uint64_t transaction, Done<Failure> done);
  void createNetns(Done<Created> done);
  void readSysctl(std::shared_ptr<const Netns> netns, std::string path, Done<Value> done);
  void exchange(Exchange exchange, Done<Exchanged> done);
  void converse(Conversation conversation, Done<Conversed> done);
  void watch(Watching watching, Done<Watched> done);
  void look(uint64_t watch, std::vector<Query> queries, Done<Looked> done);
  void unwatch(uint64_t watch, Done<Failure> done);

  /** Finishes what runs, refuses what waits. False when no thread was ever started: then stopped() is not called. */
  bool stop();
  bool stopping() const { return stop_.asked(); }
  /** Blocks until the threads have ended; stop() comes first. */
  void join() { reaper_.join(); }

 private:
  struct Job {
    /** On the namespace thread. */
    std::function<void()> run;
    /** Instead of run, on whatever thread finds that there will be none. */
    std::function<void(const Failure&)> refuse;
    /** The end of something under way: also carried out while stopping. */
    bool finishing = false;
  };
  struct Run;

  void submit(Job job);
  void enqueue(Job job);
  void startNamespaceThread();
  void namespaceThread();
  bool take(Job* job);
  void refuseQueue(const Failure& failure);

  // On the namespace thread.
  void beginNow(Begin* begin, Lock lock, const Done<Begun>& done);
  void runGuess(Guess guess, const std::shared_ptr<Transaction>& transaction, Begun begun, const Done<Begun>& done);
  std::vector<Answer> ask(Transaction* transaction, std::vector<Query>* queries);
  void runNow(const std::shared_ptr<Run>& run);
  void handToReaper(const std::shared_ptr<Run>& run);
  void runEnded(const std::shared_ptr<Run>& run);
  std::shared_ptr<Transaction> find(uint64_t id);
  void drop(uint64_t id);

  Stop stop_;
  Reaper reaper_;
  std::function<void()> stopped_;

  Bell bell_;
  std::mutex mutex_;
  std::deque<Job> queue_;
  /** The namespace thread runs, or the reaper has been asked to start it. */
  bool alive_ = false;
  /** The reaper's: it starts and joins. */
  std::thread thread_;

  // The namespace thread's own; a thread that replaces it inherits them.
  Workplace workplace_;
  LockQueue locks_;
  std::map<uint64_t, std::shared_ptr<Transaction>> transactions_;
  uint64_t lastTransaction_ = 0;
  uint64_t lastWatch_ = 0;
  size_t reaping_ = 0;
};

}  // namespace pw
