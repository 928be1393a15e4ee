#pragma once

#include <functional>
#include <thread>

namespace pw {

/**
 * Starts a thread with every signal blocked, so that signals reach the threads of the runtime and no system call here
 * ends with EINTR. The new thread is in the network namespace of its creator: only threads at home may call this.
 * Returns 0, or the errno when the system has no room for another thread.
 */
int startThread(const char* name, std::function<void()> body, std::thread* thread);

}  // namespace pw
