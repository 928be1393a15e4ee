#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <thread>

#include "check.h"
#include "netlink-messages.h"
#include "runner.h"

using namespace pw;
using std::chrono::milliseconds;

namespace {

/** Home for everything below, away from the machine's own links and mounts. */
const bool isolated = ::unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
                      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;

template <typename T>
struct Pending {
  std::shared_ptr<std::promise<T>> promise = std::make_shared<std::promise<T>>();
  std::future<T> future = promise->get_future();
  Done<T> done() {
    return [promise = promise](T value) { promise->set_value(std::move(value)); };
  }
  T get() { return future.get(); }
  bool open() { return future.wait_for(milliseconds(0)) == std::future_status::timeout; }
};

struct Bench {
  Runner runner{[] {}};
  std::shared_ptr<Netns> netns;

  Bench() {
    CHECK(isolated);
    Pending<Created> pending;
    runner.createNetns(pending.done());
    netns = pending.get().netns;
  }
  ~Bench() { stop(); }
  void stop() {
    if (runner.stop()) runner.join();
  }

  Watched watch(pid_t pid = 0, std::string path = {}, std::shared_ptr<const Netns> where = nullptr) {
    Watching watching;
    watching.netns = where == nullptr ? netns : where;
    watching.groups = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR};
    watching.notables = {{RTM_NEWLINK, {}}, {RTM_DELLINK, {}}};
    watching.pid = pid;
    watching.path = std::move(path);
    Pending<Watched> pending;
    runner.watch(std::move(watching), pending.done());
    return pending.get();
  }
  Pending<Looked> look(uint64_t watch, const std::string& name = "x") {
    Query query;
    query.message = getLink(name);
    std::vector<Query> queries;
    queries.push_back(std::move(query));
    Pending<Looked> pending;
    runner.look(watch, std::move(queries), pending.done());
    return pending;
  }
  /** Looks again and again until there is nothing new; the last look is open. */
  Pending<Looked> lookUntilSilent(uint64_t watch, int* looks) {
    for (;;) {
      Pending<Looked> one = look(watch);
      if (one.future.wait_for(milliseconds(200)) == std::future_status::timeout) return one;
      one.get();
      (*looks)++;
    }
  }
  void unwatch(uint64_t watch) {
    Pending<Failure> pending;
    runner.unwatch(watch, pending.done());
    CHECK(!pending.get());
  }
  void run(Bytes message) {
    Pending<Begun> begun;
    Begin begin;
    begin.namespaces = {netns};
    runner.begin(std::move(begin), begun.done());
    Instruction one;
    one.message = std::move(message);
    Pending<Ran> ran;
    runner.run(begun.get().transaction, {std::move(one)}, {}, false, ran.done());
    CHECK(ran.get().report.ok);
  }
};

int descriptors() {
  int count = 0;
  for (int fd = 0; fd < 1024; fd++) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

/** The errno of the only answer; -1: the guest has ended. */
int answer(Pending<Looked> pending) {
  const Looked looked = pending.get();
  CHECK(!looked.failure);
  return looked.answers ? looked.answers->at(0).error : -1;
}

/** A process in a network namespace of its own, until it is told to end. */
struct Guest {
  pid_t pid = 0;
  Fd end;
  std::shared_ptr<Netns> netns = std::make_shared<Netns>();

  Guest() {
    int ready[2], ending[2];
    CHECK(::pipe2(ready, O_CLOEXEC) == 0 && ::pipe2(ending, O_CLOEXEC) == 0);
    pid = ::fork();
    if (pid == 0) {
      ::close(ending[1]);
      char byte = ::unshare(CLONE_NEWNET) == 0 ? 'r' : 'f';
      if (::write(ready[1], &byte, 1) != 1 || ::read(ending[0], &byte, 1) < 0) ::_exit(1);
      ::_exit(0);
    }
    end = Fd(ending[1]);
    Fd gone[] = {Fd(ready[0]), Fd(ready[1]), Fd(ending[0])};
    char byte = 0;
    CHECK(::read(gone[0].get(), &byte, 1) == 1 && byte == 'r');
    CHECK(!openNetns(path(), netns.get()));
  }
  ~Guest() { finish(); }
  std::string path() const { return "/proc/" + std::to_string(pid) + "/ns/net"; }
  void finish() {
    if (pid == 0) return;
    end.reset();
    ::waitpid(pid, nullptr, 0);
    pid = 0;
  }
};

TEST("a look asks at once, the next only after a notice, however many there were") {
  Bench bench;
  const Watched watched = bench.watch();
  CHECK(!watched.failure);
  CHECK_EQUAL(answer(bench.look(watched.watch)), ENODEV);
  Pending<Looked> second = bench.look(watched.watch);
  CHECK(second.open());
  bench.run(newVeth("x", "y"));
  CHECK_EQUAL(answer(std::move(second)), 0);
  // A veth is born with several notices: those after the look are one more.
  for (int i = 0; i < 20; i++) {
    bench.run(newVeth("a", "b"));
    bench.run(deleteLink("a"));
  }
  int looks = 0;
  Pending<Looked> more = bench.lookUntilSilent(watched.watch, &looks);
  CHECK(looks >= 1 && looks <= 3);
  bench.unwatch(watched.watch);
  CHECK(more.get().failure.reason == Reason::closed);
}

TEST("one look at a time; the end of the watch and of the runner refuse who looks") {
  Bench bench;
  const uint64_t watch = bench.watch().watch;
  answer(bench.look(watch));
  Pending<Looked> waiting = bench.look(watch);
  CHECK(bench.look(watch).get().failure.reason == Reason::closed);
  bench.unwatch(watch);
  CHECK(waiting.get().failure.reason == Reason::closed);
  bench.unwatch(watch);
  CHECK(bench.look(watch).get().failure.reason == Reason::closed);
  const uint64_t other = bench.watch().watch;
  answer(bench.look(other));
  Pending<Looked> last = bench.look(other);
  bench.stop();
  CHECK(last.get().failure.reason == Reason::closed);
  CHECK(bench.look(other).get().failure.reason == Reason::closed);
}

TEST("lost notices are a notice") {
  Bench bench;
  const uint64_t watch = bench.watch().watch;
  answer(bench.look(watch));
  // Nobody looks, so nothing is taken from the socket once something is noted: it overflows.
  for (int i = 0; i < 400; i++) {
    bench.run(newVeth("a", "b"));
    bench.run(deleteLink("a"));
  }
  bench.run(newVeth("x", "y"));
  CHECK_EQUAL(answer(bench.look(watch)), 0);
  int looks = 0;
  Pending<Looked> later = bench.lookUntilSilent(watch, &looks);
  bench.run(deleteLink("x"));
  CHECK_EQUAL(answer(std::move(later)), ENODEV);
}

TEST("the end of the process ends the watch, and lets go of its namespace without anybody's look") {
  Bench bench;
  const int before = descriptors();
  Guest guest;
  const int held = descriptors();
  const Watched watched = bench.watch(guest.pid, guest.path(), guest.netns);
  answer(bench.look(watched.watch));
  Pending<Looked> waiting = bench.look(watched.watch);
  CHECK(waiting.open());
  // Two sockets and the process.
  CHECK_EQUAL(descriptors(), held + 3);
  guest.finish();
  CHECK_EQUAL(answer(std::move(waiting)), -1);
  CHECK_EQUAL(answer(bench.look(watched.watch)), -1);
  guest.netns.reset();
  CHECK_EQUAL(descriptors(), before);
  bench.unwatch(watched.watch);

  Guest other;
  const uint64_t alone = bench.watch(other.pid, other.path(), other.netns).watch;
  answer(bench.look(alone));
  other.finish();
  other.netns.reset();
  while (descriptors() > before) std::this_thread::yield();
  CHECK_EQUAL(answer(bench.look(alone)), -1);
}

TEST("a process that has ended already, and one that is another's by now") {
  Bench bench;
  Guest guest;
  const pid_t pid = guest.pid;
  const std::string path = guest.path();
  guest.finish();
  CHECK_EQUAL(answer(bench.look(bench.watch(pid, path, guest.netns).watch)), -1);
  Guest other;
  CHECK_EQUAL(answer(bench.look(bench.watch(other.pid, other.path(), guest.netns).watch)), -1);
  CHECK_EQUAL(answer(bench.look(bench.watch(other.pid, other.path(), other.netns).watch)), ENODEV);
}

TEST("a thread has no pidfd, and is looked at from time to time") {
  Bench bench;
  std::promise<pid_t> started;
  std::promise<void> end;
  std::thread thread([&] {
    CHECK(::unshare(CLONE_NEWNET) == 0);
    started.set_value(static_cast<pid_t>(::syscall(SYS_gettid)));
    end.get_future().wait();
  });
  const pid_t tid = started.get_future().get();
  const std::string path = "/proc/" + std::to_string(tid) + "/ns/net";
  auto netns = std::make_shared<Netns>();
  CHECK(!openNetns(path, netns.get()));
  const uint64_t watch = bench.watch(tid, path, netns).watch;
  CHECK_EQUAL(answer(bench.look(watch)), ENODEV);
  Pending<Looked> waiting = bench.look(watch);
  CHECK(waiting.open());
  end.set_value();
  thread.join();
  CHECK_EQUAL(answer(std::move(waiting)), -1);
}

TEST("a named namespace ends when its mount goes, or another takes its place") {
  Bench bench;
  std::string directory = "/tmp/pipework-watch-XXXXXX";
  CHECK(::mkdtemp(directory.data()) != nullptr);
  const std::string path = directory + "/name";
  CHECK(::close(::open(path.c_str(), O_CREAT | O_RDONLY | O_CLOEXEC, 0600)) == 0);
  const auto mountOf = [&](const Netns& netns) {
    const std::string source = "/proc/self/fd/" + std::to_string(netns.fd.get());
    CHECK(::mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0);
  };
  mountOf(*bench.netns);
  const int before = descriptors();
  const uint64_t first = bench.watch(0, path).watch;
  CHECK_EQUAL(answer(bench.look(first)), ENODEV);
  Pending<Looked> waiting = bench.look(first);
  // Somebody else's mount is none of ours.
  CHECK(::mount("none", directory.c_str(), "tmpfs", 0, nullptr) == 0);
  CHECK(::umount2(directory.c_str(), MNT_DETACH) == 0);
  CHECK(::mount("none", "/mnt", "tmpfs", 0, nullptr) == 0);
  CHECK(::umount2("/mnt", MNT_DETACH) == 0);
  bench.unwatch(first);
  waiting.get();

  const uint64_t second = bench.watch(0, path).watch;
  CHECK_EQUAL(answer(bench.look(second)), ENODEV);
  Pending<Looked> covered = bench.look(second);
  CHECK(covered.open());
  Guest guest;
  mountOf(*guest.netns);
  CHECK_EQUAL(answer(std::move(covered)), -1);
  CHECK(::umount2(path.c_str(), MNT_DETACH) == 0);

  const uint64_t third = bench.watch(0, path).watch;
  CHECK_EQUAL(answer(bench.look(third)), ENODEV);
  Pending<Looked> removed = bench.look(third);
  CHECK(removed.open());
  CHECK(::umount2(path.c_str(), MNT_DETACH) == 0);
  CHECK(::unlink(path.c_str()) == 0);
  CHECK_EQUAL(answer(std::move(removed)), -1);
  bench.unwatch(second);
  bench.unwatch(third);
  guest.finish();
  guest.netns.reset();
  // The mounts are watched no longer than somebody waits for them.
  while (descriptors() > before) std::this_thread::yield();
  CHECK(::rmdir(directory.c_str()) == 0);
}

TEST("a hundred at once, and what they cost when they are over: nothing") {
  Bench bench;
  const int before = descriptors();
  std::vector<uint64_t> watches;
  std::vector<Pending<Looked>> looks;
  for (int i = 0; i < 100; i++) watches.push_back(bench.watch().watch);
  for (const uint64_t watch : watches) CHECK_EQUAL(answer(bench.look(watch)), ENODEV);
  for (const uint64_t watch : watches) looks.push_back(bench.look(watch));
  bench.run(newVeth("x", "y"));
  for (auto& look : looks) CHECK_EQUAL(answer(std::move(look)), 0);
  for (const uint64_t watch : watches) bench.unwatch(watch);
  CHECK_EQUAL(descriptors(), before);
}

TEST("stopped in the middle of everything: everybody hears") {
  for (int round = 0; round < 20; round++) {
    Bench bench;
    std::vector<Pending<Looked>> looks;
    for (int i = 0; i < 10; i++) {
      const uint64_t watch = bench.watch().watch;
      looks.push_back(bench.look(watch));
    }
    ::usleep(static_cast<useconds_t>(round * 30));
    bench.stop();
    for (auto& look : looks) {
      const Looked looked = look.get();
      CHECK(looked.answers || looked.failure.reason == Reason::closed);
    }
  }
}

}  // namespace
