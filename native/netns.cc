#include "netns.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <cerrno>

namespace pw {
namespace {

/** linux/magic.h; the C library's headers do not have it. */
constexpr long kNsfsMagic = 0x6e736673;

/** Not /proc/self: that is the main thread's. */
constexpr const char* kOwnNetns = "/proc/thread-self/ns/net";

Failure identify(const std::string& path, Netns* netns) {
  // statx by name is GLIBC_2.28; fstat by name would be 2.33 here.
  struct statx status;
  if (::statx(netns->fd.get(), "", AT_EMPTY_PATH, STATX_INO, &status) != 0) return failedCall("statx", errno, path);
  netns->dev = makedev(status.stx_dev_major, status.stx_dev_minor);
  netns->ino = status.stx_ino;
  return {};
}

}  // namespace

Failure openNetns(const std::string& path, Netns* netns) {
  // O_NONBLOCK: the open of a FIFO would wait for its writer.
  netns->fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!netns->fd) return failedCall("open", errno, path);
  struct statfs filesystem;
  if (::fstatfs(netns->fd.get(), &filesystem) != 0) return failedCall("fstatfs", errno, path);
  if (filesystem.f_type != kNsfsMagic) {
    return refusal(Reason::notNsfs, path + " is not a namespace (a plain file, or a bind mount made elsewhere)");
  }
  if (::ioctl(netns->fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET) {
    return refusal(Reason::notNet, path + " is a namespace, but not a network namespace");
  }
  return identify(path, netns);
}

Failure Home::find() {
  home_ = Fd(::open(kOwnNetns, O_RDONLY | O_CLOEXEC));
  return home_ ? Failure{} : failedCall("open", errno, kOwnNetns);
}

Failure Home::enter(const Netns& netns) {
  if (::setns(netns.fd.get(), CLONE_NEWNET) == 0) {
    away_ = true;
    return {};
  }
  return failedCall("setns", errno, "into the guest's network namespace");
}

Failure Home::comeHome() {
  away_ = ::setns(home_.get(), CLONE_NEWNET) != 0;
  if (!away_) return {};
  lost_ = true;
  Failure failure = failedCall("setns", errno, "back to the thread's own network namespace");
  failure.reason = Reason::wayHome;
  return failure;
}

Failure Home::stayHome() { return away_ ? comeHome() : Failure{}; }

Failure Home::create(Netns* netns) {
  if (::unshare(CLONE_NEWNET) != 0) return failedCall("unshare", errno, "(CLONE_NEWNET)");
  netns->fd = Fd(::open(kOwnNetns, O_RDONLY | O_CLOEXEC));
  Failure outcome = netns->fd ? identify(kOwnNetns, netns) : failedCall("open", errno, kOwnNetns);
  if (Failure failure = comeHome()) return failure;
  return outcome;
}

}  // namespace pw
