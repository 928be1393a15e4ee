#include "runner.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <future>
#include <set>

#include "check.h"
#include "netlink-messages.h"

using namespace pw;
using std::chrono::milliseconds;

namespace {

/** Home for everything below, away from the machine's own links. */
const bool isolated = ::unshare(CLONE_NEWNET) == 0;

template <typename T>
struct Pending {
  std::shared_ptr<std::promise<T>> promise = std::make_shared<std::promise<T>>();
  std::future<T> future = promise->get_future();
  Done<T> done() {
    return [promise = promise](T value) { promise->set_value(std::move(value)); };
  }
  T get() { return future.get(); }
};

/** A runner, and each of its methods as a wait. */
struct Bench {
  std::shared_ptr<std::promise<void>> ended = std::make_shared<std::promise<void>>();
  std::unique_ptr<Runner> runner = std::make_unique<Runner>([ended = ended] { ended->set_value(); });
  std::string directory = "/tmp/pipework-runner-XXXXXX";
  std::string lock;

  Bench() {
    CHECK(isolated && ::mkdtemp(directory.data()) != nullptr);
    lock = directory + "/lock";
  }
  ~Bench() {
    stop();
    ::unlink(lock.c_str());
    ::rmdir(directory.c_str());
  }
  void stop() {
    if (runner->stop()) runner->join();
  }

  Pending<Begun> begin(Namespaces namespaces, const std::string& lockPath = {},
                       milliseconds time = milliseconds(20000)) {
    Pending<Begun> pending;
    Begin options;
    options.namespaces = std::move(namespaces);
    options.lockPath = lockPath;
    options.lockTime = time;
    runner->begin(std::move(options), pending.done());
    return pending;
  }
  Pending<Ran> run(uint64_t transaction, Program program, Slots slots = {}, bool keep = false) {
    Pending<Ran> pending;
    runner->run(transaction, std::move(program), std::move(slots), keep, pending.done());
    return pending;
  }
  std::shared_ptr<Netns> netns() {
    Pending<Created> pending;
    runner->createNetns(pending.done());
    return pending.get().netns;
  }
  Report runAlone(std::shared_ptr<const Netns> where, Program program, Slots slots = {}) {
    const Begun begun = begin({std::move(where)}).get();
    return run(begun.transaction, std::move(program), std::move(slots)).get().report;
  }
};

Instruction request(Bytes message) {
  Instruction one;
  one.message = std::move(message);
  return one;
}

Instruction capture(const std::string& name, uint32_t slot) {
  Instruction one = request(getLink(name));
  one.capture = Capture{slot, kIndexOffset, {}};
  return one;
}

Instruction reap(const std::string& name, uint32_t slot) {
  Instruction one = request(deleteLink(name));
  one.op = Op::reap;
  one.notice = Notice{RTNLGRP_LINK, RTM_DELLINK, kIndexOffset, 0, slot};
  return one;
}

/** Inodes of the network namespaces that threads of this process are in. */
std::set<uint64_t> threadNamespaces() {
  std::set<uint64_t> found;
  DIR* tasks = ::opendir("/proc/self/task");
  while (const dirent* entry = ::readdir(tasks)) {
    struct stat status;
    const std::string path = std::string("/proc/self/task/") + entry->d_name + "/ns/net";
    if (entry->d_name[0] != '.' && ::stat(path.c_str(), &status) == 0) found.insert(status.st_ino);
  }
  ::closedir(tasks);
  return found;
}

TEST("never started, a runner has nothing to stop") {
  Bench bench;
  CHECK(!bench.runner->stop());
  CHECK(bench.begin({nullptr}).get().failure.reason == Reason::closed);
}

TEST("captures, relocates, and undoes in reverse") {
  Bench bench;
  const auto where = bench.netns();
  Instruction make = request(newVeth("a", "b"));
  make.hasUndo = true;
  make.undo = {capture("a", 0), request(deleteLink("a"))};
  make.undo[0].unlessSlot = 0;
  const Report good = bench.runAlone(where, {make, capture("b", 0)}, {0});
  CHECK(good.ok && good.slots[0] != 0);
  make.message = newVeth("c", "d");
  make.undo[1] = request(deleteLink("c"));
  const Report bad = bench.runAlone(where, {make, capture("d", 0), request(deleteLink("nothing"))}, {0});
  CHECK(!bad.ok);
  CHECK_EQUAL(bad.failed->index, size_t{2});
  CHECK_EQUAL(bad.failed->error, ENODEV);
  CHECK_EQUAL(bad.undone.size(), size_t{2});
  CHECK(bad.undone[0].skipped);
  CHECK_EQUAL(bad.undone[1].error, 0);
  CHECK_EQUAL(bench.runAlone(where, {request(getLink("c"))}).failed->error, ENODEV);
}

TEST("forty reaps at once: each by its notice, on threads that are at home") {
  Bench bench;
  const auto where = bench.netns();
  const uint64_t home = *threadNamespaces().begin();
  std::vector<Pending<Ran>> pending;
  for (int i = 0; i < 40; i++) {
    const std::string name = "v" + std::to_string(i);
    CHECK(bench.runAlone(where, {request(newVeth(name, "w" + std::to_string(i)))}).ok);
  }
  std::vector<uint64_t> transactions;
  for (int i = 0; i < 40; i++) transactions.push_back(bench.begin({where}).get().transaction);
  for (int i = 0; i < 40; i++) {
    const std::string name = "v" + std::to_string(i);
    pending.push_back(bench.run(transactions[i], {capture(name, 0), reap(name, 0)}, {0}));
  }
  int notices = 0;
  for (auto& one : pending) {
    const Ran ran = one.get();
    CHECK(ran.report.ok);
    if (ran.report.via == "notice") notices++;
  }
  CHECK(notices > 30);
  CHECK((threadNamespaces() == std::set<uint64_t>{home}));
  const Report left = bench.runAlone(where, {request(getLink("v39"))});
  CHECK_EQUAL(left.failed->error, ENODEV);
}

TEST("a reap that is refused undoes what went before") {
  Bench bench;
  const auto where = bench.netns();
  Instruction make = request(newVeth("a", "b"));
  make.hasUndo = true;
  make.undo = {request(deleteLink("a"))};
  Instruction refused = reap("nothing", 0);
  refused.notice->slot.reset();
  refused.notice->value = 4000;
  const Report report = bench.runAlone(where, {make, refused});
  CHECK(!report.ok && report.via == "ack");
  CHECK_EQUAL(report.failed->error, ENODEV);
  CHECK_EQUAL(report.undone.size(), size_t{1});
  refused.tolerate = {ENODEV};
  const Report tolerated = bench.runAlone(where, {refused});
  CHECK(tolerated.ok && tolerated.via == "ack");
  CHECK_EQUAL(tolerated.results[0].error, ENODEV);
}

TEST("locked transactions take turns, in order, while one without a lock does not wait") {
  Bench bench;
  const Begun first = bench.begin({nullptr}, bench.lock).get();
  std::vector<Pending<Begun>> line;
  for (int i = 0; i < 5; i++) line.push_back(bench.begin({nullptr}, bench.lock));
  Pending<Begun> hurried = bench.begin({nullptr}, bench.lock, milliseconds(1));
  CHECK(bench.begin({nullptr}).get().transaction != 0);
  CHECK(hurried.get().failure.reason == Reason::lockTimeout);
  CHECK(line[0].future.wait_for(milliseconds(0)) == std::future_status::timeout);
  bench.runner->end(first.transaction, [](const Failure&) {});
  uint64_t last = first.transaction;
  for (auto& one : line) {
    const uint64_t next = one.get().transaction;
    CHECK(next > last);
    last = next;
    bench.runner->end(next, [](const Failure&) {});
  }
}

TEST("stopped in the middle: everybody hears, the lock is free, the threads are gone") {
  for (int round = 0; round < 30; round++) {
    Bench bench;
    const auto where = bench.netns();
    std::vector<Pending<Ran>> runs;
    std::vector<Pending<Begun>> begins;
    std::vector<Pending<Ran>> reaps;
    const uint64_t deleting = bench.begin({where}).get().transaction;
    CHECK(bench.run(deleting, {request(newVeth("x", "y"))}, {}, true).get().report.ok);
    const uint64_t open = bench.begin({where}, bench.lock).get().transaction;
    reaps.push_back(bench.run(deleting, {capture("x", 0), reap("x", 0)}, {0}));
    for (int i = 0; i < 3; i++) begins.push_back(bench.begin({where}, bench.lock));
    runs.push_back(bench.run(open, {request(newVeth("a", "b")), capture("a", 0)}, {0}));
    ::usleep(static_cast<useconds_t>(round * 40));
    bench.stop();
    for (auto& one : runs) one.get();
    for (auto& one : begins) one.get();
    for (auto& one : reaps) {
      const Ran ran = one.get();
      CHECK(ran.report.ok || ran.failure.reason == Reason::closed);
    }
    Lock lock;
    CHECK(!lock.tryTake(bench.lock));
    bench.ended->get_future().get();
  }
  CHECK_EQUAL(threadNamespaces().size(), size_t{1});
}

TEST("stopped while another process holds the lock: refused at once") {
  Bench bench;
  Lock other;
  CHECK(!other.tryTake(bench.lock));
  Pending<Begun> waiting = bench.begin({nullptr}, bench.lock, std::chrono::hours(1));
  CHECK(bench.begin({nullptr}).get().transaction != 0);
  bench.stop();
  CHECK(waiting.get().failure.reason == Reason::closed);
}

TEST("an exchange over UDP with itself, one with nobody, and one that a stop ends") {
  Bench bench;
  Exchange exchange;
  exchange.domain = AF_INET;
  exchange.type = SOCK_DGRAM;
  exchange.payload = {1};
  // A socket of the same namespace that answers is more than is needed: lo is down, so nothing can be sent.
  exchange.address = Bytes(16);
  exchange.address[0] = AF_INET;
  exchange.address[3] = 9;
  exchange.address[4] = 127;
  exchange.address[7] = 1;
  exchange.time = milliseconds(1);
  Pending<Exchanged> unreachable;
  bench.runner->exchange(exchange, unreachable.done());
  CHECK_EQUAL(unreachable.get().failure.syscall, std::string("sendto"));

  exchange.domain = AF_NETLINK;
  exchange.type = SOCK_RAW;
  exchange.protocol = NETLINK_ROUTE;
  exchange.address = Bytes(12);
  exchange.address[0] = AF_NETLINK;
  exchange.payload = getLink("lo");
  storeU32(exchange.payload.data(), static_cast<uint32_t>(exchange.payload.size()));
  exchange.payload[6] = NLM_F_REQUEST;
  exchange.offset = 4;
  exchange.value = {RTM_NEWLINK, 0};
  exchange.time = std::chrono::hours(1);
  Pending<Exchanged> answered;
  bench.runner->exchange(exchange, answered.done());
  CHECK(answered.get().datagram.has_value());

  exchange.value = {RTM_DELLINK, 0};
  exchange.time = milliseconds(1);
  Pending<Exchanged> silent;
  bench.runner->exchange(exchange, silent.done());
  const Exchanged nothing = silent.get();
  CHECK(!nothing.failure && !nothing.datagram);

  exchange.time = std::chrono::hours(1);
  Pending<Exchanged> stopped;
  bench.runner->exchange(exchange, stopped.done());
  bench.stop();
  CHECK(stopped.get().failure.reason == Reason::closed);
}

}  // namespace
