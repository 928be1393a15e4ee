#include "file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "check.h"

using namespace pw;

namespace {

struct Directory {
  std::string path = "/tmp/pipework-file-XXXXXX";
  Directory() { CHECK(mkdtemp(path.data()) != nullptr); }
  ~Directory() {
    ::unlink(file().c_str());
    // Fails, and is seen to, when anything else was left behind.
    CHECK(::rmdir(path.c_str()) == 0);
  }
  std::string file() const { return path + "/record"; }
};

TEST("a file is made, replaced, removed; what it held is told") {
  Directory directory;
  Content content = "x";
  CHECK(!readFile(directory.file(), &content));
  CHECK(!content);
  CHECK(!replaceFile(directory.file(), "one"));
  CHECK(!replaceFile(directory.file(), std::string(100000, 'z')));
  CHECK(!readFile(directory.file(), &content));
  CHECK_EQUAL(content->size(), size_t{100000});
  struct stat status;
  CHECK(::stat(directory.file().c_str(), &status) == 0 && (status.st_mode & 07777) == 0600);
  CHECK(!replaceFile(directory.file(), std::nullopt));
  CHECK(!replaceFile(directory.file(), std::nullopt));
  CHECK(!readFile(directory.file(), &content));
  CHECK(!content);
}

TEST("failures leave nothing behind") {
  Directory directory;
  CHECK(::mkdir(directory.file().c_str(), 0700) == 0);
  CHECK_EQUAL(replaceFile(directory.file(), "x").error, EISDIR);
  CHECK(::rmdir(directory.file().c_str()) == 0);
  CHECK_EQUAL(replaceFile(directory.path + "/nowhere/record", "x").error, ENOENT);
}

TEST("a symbolic link is not followed") {
  Directory directory;
  CHECK(::symlink("/etc/passwd", directory.file().c_str()) == 0);
  Content content;
  CHECK_EQUAL(readFile(directory.file(), &content).error, ELOOP);
}

TEST("an identity holds until the path leads elsewhere") {
  Directory directory;
  CHECK(!replaceFile(directory.file(), "one"));
  struct stat status;
  CHECK(::stat(directory.file().c_str(), &status) == 0);
  CHECK(!checkIdentity(directory.file(), status.st_ino));
  CHECK_EQUAL(checkIdentity(directory.file(), status.st_ino + 1).error, ESRCH);
  CHECK(!replaceFile(directory.file(), std::nullopt));
  const Failure gone = checkIdentity(directory.file(), status.st_ino);
  CHECK_EQUAL(gone.error, ESRCH);
  CHECK(gone.text.find("gone") != std::string::npos);
}

TEST("a sysctl is read without its newline, and a refused value is told") {
  std::string value;
  CHECK(!readSysctl("/proc/sys/net/ipv4/ip_forward", &value));
  CHECK(value == "0" || value == "1");
  CHECK(!writeSysctl("/proc/sys/net/ipv4/ip_forward", value));
  CHECK_EQUAL(readSysctl("/proc/sys/net/ipv4/nothing", &value).error, ENOENT);
  const Failure failure = writeSysctl("/proc/sys/net/ipv4/ip_forward", "nonsense");
  CHECK_EQUAL(failure.error, EINVAL);
  CHECK_EQUAL(failure.syscall, std::string("write"));
}

}  // namespace
