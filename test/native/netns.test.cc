#include "netns.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <thread>

#include "check.h"
#include "file.h"

using namespace pw;

namespace {

uint64_t ownInode() {
  struct stat status;
  return ::stat("/proc/thread-self/ns/net", &status) == 0 ? status.st_ino : 0;
}

/** Makes setns() fail with EPERM in the calling thread, for good. */
bool forbidSetns() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setns, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{4, code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST("a new namespace is another one, and the thread is home again") {
  const uint64_t before = ownInode();
  Home home;
  CHECK(!home.find());
  Netns netns;
  CHECK(!home.create(&netns));
  CHECK_EQUAL(ownInode(), before);
  CHECK(netns.ino != 0 && netns.ino != before);
  uint64_t inside = 0;
  CHECK(!home.visit(&netns, [&]() -> Failure {
    inside = ownInode();
    return {};
  }));
  CHECK_EQUAL(inside, netns.ino);
  CHECK_EQUAL(ownInode(), before);
}

TEST("home is visited without going anywhere") {
  Home home;
  CHECK(!home.find());
  const Failure failure = home.visit(nullptr, [] { return failedCall("open", ENOENT, "x"); });
  CHECK_EQUAL(failure.error, ENOENT);
}

TEST("a failure inside is told, and the thread is home") {
  const uint64_t before = ownInode();
  Home home;
  CHECK(!home.find());
  Netns netns;
  CHECK(!home.create(&netns));
  const Failure failure = home.visit(&netns, [] { return failedCall("open", ENOENT, "x"); });
  CHECK_EQUAL(failure.error, ENOENT);
  CHECK_EQUAL(ownInode(), before);
}

TEST("a way home that is barred marks the thread, whatever was done inside") {
  std::thread([] {
    Home home;
    CHECK(!home.find());
    Netns netns;
    CHECK(!home.create(&netns));
    const Failure failure = home.visit(&netns, []() -> Failure {
      CHECK(forbidSetns());
      return {};
    });
    CHECK(failure.reason == Reason::wayHome);
    CHECK_EQUAL(failure.error, EPERM);
    CHECK(home.lost());
    // Not taken for home.
    CHECK(home.visit(nullptr, []() -> Failure { return {}; }).reason == Reason::wayHome);
  }).join();
}

TEST("a namespace that cannot be entered is a failure at home") {
  std::thread([] {
    Home home;
    CHECK(!home.find());
    Netns netns;
    CHECK(!home.create(&netns));
    CHECK(forbidSetns());
    bool inside = false;
    const Failure failure = home.visit(&netns, [&]() -> Failure {
      inside = true;
      return {};
    });
    CHECK_EQUAL(failure.error, EPERM);
    CHECK(failure.reason == Reason::none && !inside && !home.lost());
  }).join();
}

TEST("what is no network namespace is told from what is") {
  Netns netns;
  CHECK(!openNetns("/proc/thread-self/ns/net", &netns));
  CHECK_EQUAL(netns.ino, ownInode());
  CHECK(openNetns("/proc/self/ns/mnt", &netns).reason == Reason::notNet);
  CHECK(openNetns("/etc/hostname", &netns).reason == Reason::notNsfs);
  CHECK(openNetns("/", &netns).reason == Reason::notNsfs);
  CHECK_EQUAL(openNetns("/run/netns/nothing", &netns).error, ENOENT);
  std::string fifo = "/tmp/pipework-fifo-XXXXXX";
  CHECK(::mkdtemp(fifo.data()) != nullptr);
  const std::string path = fifo + "/fifo";
  CHECK(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(openNetns(path, &netns).reason == Reason::notNsfs);
  ::unlink(path.c_str());
  ::rmdir(fifo.c_str());
}

}  // namespace
