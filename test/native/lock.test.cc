#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "check.h"
#include "lock-queue.h"

using namespace pw;
using std::chrono::milliseconds;

namespace {

/** A directory that goes with its scope. */
struct Directory {
  std::string path = "/tmp/pipework-lock-XXXXXX";
  Directory() { CHECK(mkdtemp(path.data()) != nullptr); }
  ~Directory() {
    ::unlink(lock().c_str());
    ::rmdir(path.c_str());
  }
  std::string lock() const { return path + "/lock"; }
};

TEST("one holder at a time, within a process as well") {
  Directory directory;
  Lock first, second;
  CHECK(!first.tryTake(directory.lock()));
  CHECK_EQUAL(second.tryTake(directory.lock()).error, EWOULDBLOCK);
  first.release();
  CHECK(!second.tryTake(directory.lock()));
  struct stat status;
  CHECK(::stat(directory.lock().c_str(), &status) == 0 && (status.st_mode & 07777) == 0600);
}

TEST("a killed holder holds no more") {
  Directory directory;
  int ready[2];
  CHECK(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    Lock lock;
    const char failed = lock.tryTake(directory.lock()) ? 1 : 0;
    if (::write(ready[1], &failed, 1) != 1) _exit(1);
    for (;;) ::pause();
  }
  char failed = 1;
  CHECK(::read(ready[0], &failed, 1) == 1 && failed == 0);
  Lock lock;
  CHECK_EQUAL(lock.tryTake(directory.lock()).error, EWOULDBLOCK);
  ::kill(child, SIGKILL);
  int status;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(!lock.tryTake(directory.lock()));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST("a directory that is missing, and a symbolic link, are failures") {
  Directory directory;
  Lock lock;
  CHECK_EQUAL(lock.tryTake(directory.path + "/nowhere/lock").error, ENOENT);
  CHECK(::symlink("/tmp/elsewhere", directory.lock().c_str()) == 0);
  CHECK_EQUAL(lock.tryTake(directory.lock()).error, ELOOP);
}

TEST("a lock file that was removed under its holder is no lock for the next") {
  Directory directory;
  Lock first, second, third;
  CHECK(!first.tryTake(directory.lock()));
  CHECK(::unlink(directory.lock().c_str()) == 0);
  CHECK(!second.tryTake(directory.lock()));
  CHECK_EQUAL(third.tryTake(directory.lock()).error, EWOULDBLOCK);
}

/** Records in what order waiters are served. */
struct Service {
  LockQueue queue;
  std::vector<std::string> log;
  Lock held;

  void add(const std::string& path, const std::string& name, milliseconds time = milliseconds(60000)) {
    queue.add({path, time,
               [this, name](Lock lock) {
                 log.push_back(name);
                 held = std::move(lock);
               },
               [this, name](const Failure& failure) {
                 log.push_back(name + " " +
                               (failure.reason == Reason::none ? failure.text : reasonWord(failure.reason)));
               }});
  }
  void release() {
    held.release();
    queue.released();
  }
};

TEST("first come, first served") {
  Directory directory;
  Service service;
  for (const char* name : {"a", "b", "c"}) service.add(directory.lock(), name);
  service.queue.serve();
  service.queue.serve();
  CHECK((service.log == std::vector<std::string>{"a"}));
  service.release();
  service.queue.serve();
  service.release();
  service.queue.serve();
  CHECK((service.log == std::vector<std::string>{"a", "b", "c"}));
  CHECK(service.queue.nextTime() == Clock::time_point::max());
}

TEST("out of time: refused, wherever in the line; an attempt is made first") {
  Directory directory;
  Service service;
  service.add(directory.lock(), "at once", milliseconds(0));
  service.queue.serve();
  CHECK((service.log == std::vector<std::string>{"at once"}));
  service.add(directory.lock(), "patient");
  service.add(directory.lock(), "hurried", milliseconds(0));
  service.queue.serve();
  CHECK((service.log == std::vector<std::string>{"at once", "hurried lock-timeout"}));
  service.release();
  service.queue.serve();
  CHECK_EQUAL(service.log.back(), std::string("patient"));
}

TEST("held elsewhere: comes back at growing intervals, and serves a waiter that follows one out of time") {
  Directory directory;
  Lock other;
  CHECK(!other.tryTake(directory.lock()));
  Service service;
  service.add(directory.lock(), "first", milliseconds(200));
  service.add(directory.lock(), "second");
  Clock::duration last{0};
  bool grown = false;
  while (service.log.empty()) {
    service.queue.serve();
    const auto pause = service.queue.nextTime() - Clock::now();
    grown = grown || (last.count() > 0 && pause > last);
    last = pause;
    ::usleep(200);
  }
  CHECK(grown);
  CHECK((service.log == std::vector<std::string>{"first lock-timeout"}));
  other.release();
  while (service.log.size() < 2) {
    service.queue.serve();
    ::usleep(100);
  }
  CHECK_EQUAL(service.log.back(), std::string("second"));
}

TEST("a failure that is no waiting is told to the waiter alone") {
  Directory directory;
  Service service;
  service.add(directory.path + "/nowhere/lock", "lost");
  service.add(directory.lock(), "next");
  service.queue.serve();
  CHECK_EQUAL(service.log.size(), size_t{2});
  CHECK(service.log[0].find("No such file or directory") != std::string::npos);
  CHECK_EQUAL(service.log[1], std::string("next"));
}

TEST("refuseAll empties the line") {
  Directory directory;
  Service service;
  service.add(directory.lock(), "a");
  service.queue.serve();
  service.add(directory.lock(), "b");
  service.add(directory.lock(), "c");
  service.queue.refuseAll(refusal(Reason::closed, "closed"));
  service.release();
  service.queue.serve();
  CHECK((service.log == std::vector<std::string>{"a", "b closed", "c closed"}));
}

}  // namespace
