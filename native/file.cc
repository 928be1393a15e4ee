#include "file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "fd.h"

namespace pw {
namespace {

constexpr size_t kLargest = 1u << 20;

Failure readAll(int fd, const std::string& path, std::string* content) {
  content->clear();
  char block[4096];
  for (;;) {
    const ssize_t length = ::read(fd, block, sizeof block);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return failedCall("read", errno, path);
    if (length == 0) return {};
    content->append(block, static_cast<size_t>(length));
    if (content->size() > kLargest) return failedCall("read", EFBIG, path);
  }
}

Failure writeAll(int fd, const std::string& path, const std::string& content) {
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t length = ::write(fd, content.data() + done, content.size() - done);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return failedCall("write", errno, path);
    done += static_cast<size_t>(length);
  }
  return {};
}

}  // namespace

Failure readFile(const std::string& path, Content* content) {
  content->reset();
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return errno == ENOENT ? Failure{} : failedCall("open", errno, path);
  std::string text;
  if (Failure failure = readAll(fd.get(), path, &text)) return failure;
  *content = std::move(text);
  return {};
}

Failure replaceFile(const std::string& path, const Content& content) {
  if (!content) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failedCall("unlink", errno, path);
    return {};
  }
  // Beside the file: rename() is atomic within one file system only. mkostemp() makes it 0600.
  std::string beside = path + ".XXXXXX";
  Fd fd(::mkostemp(beside.data(), O_CLOEXEC));
  if (!fd) return failedCall("open", errno, path + ".XXXXXX");
  Failure failure = writeAll(fd.get(), beside, *content);
  fd.reset();
  if (!failure && ::rename(beside.c_str(), path.c_str()) != 0) failure = failedCall("rename", errno, path);
  if (failure) ::unlink(beside.c_str());
  return failure;
}

Failure checkIdentity(const std::string& path, uint64_t ino) {
  struct statx status;
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_INO, &status) != 0) {
    return {ESRCH, Reason::none, {}, path + " is gone: " + describe(errno)};
  }
  if (status.stx_ino == ino) return {};
  return {ESRCH, Reason::none, {}, path + " is another object by now"};
}

bool isNetSysctl(const std::string& path) {
  static constexpr char kRoot[] = "/proc/sys/net/";
  if (path.compare(0, sizeof kRoot - 1, kRoot) != 0) return false;
  if (path.find('\0') != std::string::npos) return false;
  return (path + "/").find("/../") == std::string::npos;
}

Failure readSysctl(const std::string& path, std::string* value) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return failedCall("open", errno, path);
  if (Failure failure = readAll(fd.get(), path, value)) return failure;
  if (!value->empty() && value->back() == '\n') value->pop_back();
  return {};
}

Failure writeSysctl(const std::string& path, const std::string& value) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return failedCall("open", errno, path);
  // One write: each one sets the value anew.
  ssize_t length;
  do {
    length = ::write(fd.get(), value.data(), value.size());
  } while (length < 0 && errno == EINTR);
  return length < 0 ? failedCall("write", errno, path) : Failure{};
}

}  // namespace pw
