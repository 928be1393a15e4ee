#include "life.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

namespace pw {
namespace {

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

constexpr const char* kMounts = "/proc/thread-self/mountinfo";

bool isNamespace(const std::string& path, uint64_t dev, uint64_t ino) {
  struct statx status;
  return ::statx(AT_FDCWD, path.c_str(), 0, STATX_INO, &status) == 0 && status.stx_ino == ino &&
         makedev(status.stx_dev_major, status.stx_dev_minor) == dev;
}

}  // namespace

Failure MountChanges::open() {
  fd_ = Fd(::open(kMounts, O_RDONLY | O_CLOEXEC));
  return fd_ ? Failure{} : failedCall("open", errno, kMounts);
}

Failure Life::begin() {
  if (pid_ == 0) return {};
  process_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (process_) return {};
  switch (errno) {
    case ESRCH: missing_ = true; return {};
    // Before Linux 5.3; forbidden by a seccomp filter older than it; a thread that is not its process's first.
    case ENOSYS:
    case EPERM:
    case EINVAL:
    case ENOENT: timed_ = true; return {};
    default: return failedCall("pidfd_open", errno);
  }
}

bool Life::ended() const {
  if (missing_) return true;
  if (process_) {
    pollfd fd{process_.get(), POLLIN, 0};
    if (::poll(&fd, 1, 0) > 0) return true;
  }
  return !path_.empty() && !isNamespace(path_, dev_, ino_);
}

}  // namespace pw
