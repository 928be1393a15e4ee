#pragma once

#include <cstdint>
#include <string>

#include "failure.h"
#include "fd.h"

namespace pw {

/** A network namespace, held open. It lives as long as any descriptor of it. */
struct Netns {
  Fd fd;
  /** Device and inode of the nsfs file: the namespace's identity. */
  uint64_t dev = 0;
  uint64_t ino = 0;
};

/** Opens and checks: a path may be a plain file, a FIFO, or a namespace of another kind. */
Failure openNetns(const std::string& path, Netns* netns);

/**
 * The namespace a thread began in, and the way back to it. Belongs to one thread. Only network namespaces are entered,
 * so mounts (and with them /proc) stay those of the thread.
 */
class Home {
 public:
  /** To be called before the thread enters any other namespace. */
  Failure find();

  /** True once the way back failed, even if a later one succeeded: the thread must end, and may start no other. */
  bool lost() const { return lost_; }

  /** Runs `inside` in that namespace (null = home), then returns home. `inside` returns a Failure. */
  template <typename Inside>
  Failure visit(const Netns* netns, Inside&& inside) {
    if (Failure failure = netns == nullptr ? stayHome() : enter(*netns)) return failure;
    Failure outcome = inside();
    if (netns != nullptr) {
      if (Failure failure = comeHome()) return failure;
    }
    return outcome;
  }

  /** Makes a new network namespace; the calling thread is home again afterwards. */
  Failure create(Netns* netns);

 private:
  Failure enter(const Netns& netns);
  Failure stayHome();
  Failure comeHome();

  Fd home_;
  bool away_ = false;
  bool lost_ = false;
};

}  // namespace pw
