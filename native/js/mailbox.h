#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>

namespace pw {

/**
 * The way from native threads to the JavaScript thread of one environment. Outlives the environment: whoever still
 * holds it then posts into nothing.
 */
class Mailbox {
 public:
  using Task = std::function<void(Napi::Env)>;

  /** JavaScript thread. Null when the environment is ending. */
  static std::shared_ptr<Mailbox> create(Napi::Env env);

  /** Any thread. The task runs on the JavaScript thread, or, once shut, never. */
  void post(Task task);

  /** JavaScript thread: while held at least once, the event loop does not end. */
  void hold(Napi::Env env);
  void letGo(Napi::Env env);

  /**
   * JavaScript thread, before the environment's own clean-up of thread-safe functions: calling one of them later would
   * touch freed memory.
   */
  void shut();

 private:
  static void deliver(napi_env env, napi_value callback, void* context, void* data);

  std::mutex mutex_;
  napi_threadsafe_function function_ = nullptr;
  size_t holds_ = 0;
};

}  // namespace pw
