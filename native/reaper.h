#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "attribute.h"
#include "pool.h"
#include "socket.h"
#include "stop.h"
#include "watches.h"

namespace pw {

/** One delete under way. Its sockets were opened, and the second subscribed, before anything is sent. */
struct Reap {
  NetlinkSocket sender;
  Bytes message;

  NetlinkSocket listener;
  uint16_t type = 0;
  uint32_t offset = 0;
  uint32_t value = 0;

  /** Called once, on the reaper's own thread. `byNotice`: the object is gone; else `ack` is the kernel's answer. */
  std::function<void(bool byNotice, const Reply& ack)> ended;

  bool announcedBy(View message) const;
};

/**
 * The thread that hears notices (pw-notice): of the end of deleted objects, and those that watches wait for. Owner of
 * the pool that sends the deletes. It starts every other thread, because it never enters a namespace.
 */
class Reaper {
 public:
  explicit Reaper(const Stop& stop);

  /** False for want of a descriptor. */
  bool usable() const { return static_cast<bool>(bell_); }
  /** `ended` is the last thing the thread does. Returns an errno. */
  int start(std::function<void()> ended);
  bool started() const { return thread_.joinable(); }
  void join();

  /** Any thread: runs `task` on the reaper's thread. */
  void post(std::function<void()> task);
  /** Any thread: runs `job` on a thread of the pool. It may wait. */
  void wait(std::function<void()> job);
  /** Any thread. */
  void reap(std::shared_ptr<Reap> reap);
  /** Any thread, as are the next two. */
  void watch(std::shared_ptr<Watch> watch, Done<Watched> done);
  void look(uint64_t watch, std::vector<Query> queries, Done<Looked> done);
  /** Settles when its sockets are closed. */
  void unwatch(uint64_t watch, Done<Failure> done);
  /** Any thread: end once no delete is under way any more. */
  void quit();

 private:
  void run();
  void runTasks();
  void listen();
  bool heard(Reap* reap);
  void finish(const std::shared_ptr<Reap>& reap, bool byNotice, const Reply& ack);
  void ring();

  const Stop& stop_;
  Fd bell_;
  std::thread thread_;
  std::function<void()> ended_;
  Pool pool_;
  ReceiveBuffer buffer_;

  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;

  // The thread's own.
  std::list<std::shared_ptr<Reap>> reaps_;
  Watches watches_;
  bool quit_ = false;
};

}  // namespace pw
