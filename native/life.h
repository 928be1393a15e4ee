#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>

#include "failure.h"
#include "fd.h"

namespace pw {

/**
 * Changes of this process's mounts. A path leads to another namespace, or to none, only after one: `ip netns del` and
 * container engines unmount. Counted by the kernel per open descriptor (fs/proc_namespace.c, mounts_poll), so that none
 * between two waits is lost.
 */
class MountChanges {
 public:
  Failure open();
  explicit operator bool() const { return static_cast<bool>(fd_); }
  void close() { fd_.reset(); }
  pollfd wait() const { return {fd_.get(), POLLPRI, 0}; }

 private:
  Fd fd_;
};

/**
 * Whether a guest lives whose namespace is held open. Holding it keeps the links of a dead guest alive, so who holds
 * it has to be told: by the end of its process, or by a change of mounts where it has but a path.
 */
class Life {
 public:
  /** @param pid 0: no process. @param path a file that is the namespace while it lives; empty: it never ends. */
  Life(pid_t pid, std::string path, uint64_t dev, uint64_t ino)
      : pid_(pid), path_(std::move(path)), dev_(dev), ino_(ino) {}

  /** Looks for the process, once mounts are watched. It may have ended by then, see ended(). */
  Failure begin();

  /** Not to be found out by waiting: this kernel, or this kind of process, has no pidfd. */
  bool timed() const { return timed_; }
  bool byMounts() const { return pid_ == 0 && !path_.empty(); }
  /** Readable when the process has ended; -1: none. */
  int process() const { return process_.get(); }

  /** Looks again. */
  bool ended() const;
  /** Lets go of the process. */
  void close() { process_.reset(); }

 private:
  pid_t pid_;
  std::string path_;
  uint64_t dev_;
  uint64_t ino_;
  Fd process_;
  bool missing_ = false;
  bool timed_ = false;
};

}  // namespace pw
