#include "lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

namespace pw {
namespace {

bool sameFile(const struct statx& a, const struct statx& b) {
  return a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor;
}

}  // namespace

Failure Lock::tryTake(const std::string& path) {
  for (;;) {
    // O_NOFOLLOW: the file is made as root; a symbolic link there is nobody's of ours.
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return failedCall("open", errno, path);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      return failedCall("flock", errno, path);
    }
    // Somebody may have removed the file between the two calls: then the next comer locks another one.
    struct statx held, there;
    if (::statx(fd.get(), "", AT_EMPTY_PATH, STATX_INO, &held) != 0) return failedCall("statx", errno, path);
    if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_INO, &there) != 0 || !sameFile(held, there))
      continue;
    fd_ = std::move(fd);
    return {};
  }
}

}  // namespace pw
