#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "bell.h"
#include "life.h"
#include "pool.h"
#include "requests.h"
#include "socket.h"
#include "stop.h"

namespace pw {

/**
 * A namespace that is watched: a subscribed socket, and one to ask on. They alone hold the namespace, and are closed as
 * soon as the guest has ended, whatever its watcher does.
 */
class Watch {
 public:
  Watch(uint64_t id, const Watching& options);

  /** In the namespace. Subscribed before anything is asked: what changes after an answer is told. */
  Failure open(const Watching& options);

 private:
  friend class Watches;

  struct Look {
    std::vector<Query> queries;
    Done<Looked> done;
  };

  bool noteworthy(View message) const;
  std::vector<Answer> ask(const Stop& stop);

  const uint64_t id_;
  const std::vector<Notable> notables_;
  NetlinkSocket listener_;
  /** The pool's while it asks. */
  NetlinkSocket asker_;
  Life life_;
  /** Something was heard that no look has seen; at first everything is. */
  bool noted_ = true;
  bool asking_ = false;
  bool ended_ = false;
  bool removed_ = false;
  Failure failure_;
  std::optional<Look> look_;
  std::vector<Done<Failure>> removing_;
};

/** All watches of one runner. The thread that hears notices owns them; questions are asked on threads of the pool. */
class Watches {
 public:
  using Post = std::function<void(std::function<void()>)>;

  Watches(const Stop& stop, Pool* pool, ReceiveBuffer* buffer, Post post)
      : stop_(stop), pool_(pool), buffer_(buffer), post_(std::move(post)) {}

  void add(const std::shared_ptr<Watch>& watch, const Done<Watched>& done);
  /** Asks at once when something is noted since the last look began, else as soon as something is. */
  void look(uint64_t id, std::vector<Query> queries, const Done<Looked>& done);
  void remove(uint64_t id, const Done<Failure>& done);

  /** Adds what is to be waited for. */
  void gather(std::vector<pollfd>* fds);
  /** For poll(): how long may be waited, in milliseconds; -1: for ever. */
  int patience() const;
  /** What became of that, from the first that was added on. */
  void heard(const pollfd* fds);

  /** Once the pool is closed: refuses whoever looks, and lets go of everything. */
  void close();

 private:
  std::shared_ptr<Watch> find(uint64_t id) const;
  void hear(Watch* watch);
  void skip(Watch* watch);
  void endIfSo(Watch* watch);
  void release(Watch* watch);
  void serve();
  void answered(const std::shared_ptr<Watch>& watch, std::vector<Answer> answers);

  const Stop& stop_;
  Pool* const pool_;
  ReceiveBuffer* const buffer_;
  const Post post_;
  /** Those that have been served go to the end. */
  std::list<std::shared_ptr<Watch>> watches_;
  MountChanges mounts_;
  Clock::time_point nextLook_{};
  size_t asking_ = 0;

  /** What the descriptors of the last gather() belong to; null: the mounts. */
  struct Heard {
    std::shared_ptr<Watch> watch;
    bool process = false;
  };
  std::vector<Heard> gathered_;
};

}  // namespace pw
