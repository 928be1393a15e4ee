#pragma once

#include <string>

#include "failure.h"
#include "fd.h"

namespace pw {

/** flock(LOCK_EX) on a file: held by the descriptor, so it goes with the process, whatever ends it. */
class Lock {
 public:
  /** Never waits: EWOULDBLOCK when another descriptor holds it. The file is made when missing, its directory is not. */
  Failure tryTake(const std::string& path);
  void release() { fd_.reset(); }
  explicit operator bool() const { return static_cast<bool>(fd_); }

 private:
  Fd fd_;
};

}  // namespace pw
