#include "thread.h"

#include <signal.h>
#include <sys/prctl.h>

#include <system_error>
#include <utility>

namespace pw {

int startThread(const char* name, std::function<void()> body, std::thread* thread) {
  // sigprocmask, not pthread_sigmask: on Linux it sets the calling thread's mask, and by name the latter needs
  // glibc 2.32.
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  int error = 0;
  try {
    *thread = std::thread([name, body = std::move(body)]() noexcept {
      prctl(PR_SET_NAME, name);
      body();
    });
  } catch (const std::system_error& failure) {
    error = failure.code().value();
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return error;
}

}  // namespace pw
