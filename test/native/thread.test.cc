#include "thread.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "bell.h"
#include "check.h"
#include "pool.h"
#include "stop.h"

using namespace pw;
using std::chrono::milliseconds;

namespace {

TEST("a ring before the wait is not lost") {
  Bell bell;
  bell.ring();
  bell.wait();
  CHECK(true);
}

TEST("every ring is answered, whichever side is first") {
  Bell there, back;
  std::atomic<int> turn{0};
  std::thread other([&] {
    for (int i = 0; i < 5000; i++) {
      while (turn.load() != 2 * i + 1) there.wait();
      turn.store(2 * i + 2);
      back.ring();
    }
  });
  for (int i = 0; i < 5000; i++) {
    turn.store(2 * i + 1);
    there.ring();
    while (turn.load() != 2 * i + 2) back.wait();
  }
  other.join();
  CHECK_EQUAL(turn.load(), 10000);
}

TEST("a wait ends at its deadline") {
  Bell bell;
  const auto deadline = Clock::now() + milliseconds(5);
  while (Clock::now() < deadline) bell.waitUntil(deadline);
  bell.waitUntil(Clock::now() - milliseconds(5));
  CHECK(true);
}

TEST("threads are named, and take no signals; the caller's mask is as before") {
  sigset_t before, after, inside;
  sigemptyset(&inside);
  sigprocmask(SIG_BLOCK, nullptr, &before);
  std::thread thread;
  char name[32] = "";
  CHECK_EQUAL(startThread(
                  "pw-test",
                  [&] {
                    sigprocmask(SIG_BLOCK, nullptr, &inside);
                    pthread_getname_np(pthread_self(), name, sizeof name);
                  },
                  &thread),
              0);
  thread.join();
  sigprocmask(SIG_BLOCK, nullptr, &after);
  CHECK_EQUAL(std::string(name), std::string("pw-test"));
  CHECK(sigismember(&inside, SIGINT) == 1 && sigismember(&inside, SIGTERM) == 1);
  CHECK(sigismember(&before, SIGINT) == sigismember(&after, SIGINT) && sigismember(&after, SIGTERM) == 0);
}

TEST("a stop wakes a wait for a descriptor that stays silent") {
  int pipe[2];
  CHECK(::pipe(pipe) == 0);
  Stop stop;
  CHECK(waitReadable(pipe[0], stop, Clock::now() + milliseconds(2), milliseconds(0)) == Wake::deadline);
  std::thread asker([&stop] { stop.ask(); });
  CHECK(waitReadable(pipe[0], stop, Clock::now() + std::chrono::hours(1), milliseconds(1)) == Wake::stopped);
  asker.join();
  CHECK(::write(pipe[1], "x", 1) == 1);
  CHECK(waitReadable(pipe[0], stop, Clock::now() + std::chrono::hours(1), milliseconds(1)) == Wake::ready);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST("more jobs than threads are all run, at most so many at a time") {
  std::atomic<int> running{0}, most{0}, done{0};
  {
    Pool pool([] {});
    for (int i = 0; i < 100; i++) {
      pool.submit([&] {
        const int now = ++running;
        int seen = most.load();
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        ::usleep(1000);
        running--;
        done++;
      });
    }
    pool.close();
  }
  CHECK_EQUAL(done.load(), 100);
  CHECK(most.load() > 1 && most.load() <= static_cast<int>(Pool::kMost));
}

TEST("an idle worker is used again, and ends when nothing comes") {
  Bell ended, ran;
  std::atomic<int> ends{0};
  Pool pool([&] {
    ends++;
    ended.ring();
  });
  std::thread::id first, second;
  pool.submit([&] {
    first = std::this_thread::get_id();
    ran.ring();
  });
  ran.wait();
  ::usleep(20000);
  pool.submit([&] {
    second = std::this_thread::get_id();
    ran.ring();
  });
  ran.wait();
  CHECK(first == second);
  while (ends.load() == 0) ended.wait();
  pool.collect();
  pool.submit([&] { ran.ring(); });
  ran.wait();
  pool.close();
}

}  // namespace
