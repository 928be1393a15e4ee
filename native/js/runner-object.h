#pragma once

#include <napi.h>

#include <memory>

#include "environment.h"

namespace pw {

/** class Runner of JavaScript. Checks and copies what it is given; never waits. */
class RunnerObject : public Napi::ObjectWrap<RunnerObject> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit RunnerObject(const Napi::CallbackInfo& info);
  ~RunnerObject() override;

 private:
  Napi::Value begin(const Napi::CallbackInfo& info);
  Napi::Value query(const Napi::CallbackInfo& info);
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value end(const Napi::CallbackInfo& info);
  Napi::Value createNetns(const Napi::CallbackInfo& info);
  Napi::Value readSysctl(const Napi::CallbackInfo& info);
  Napi::Value exchange(const Napi::CallbackInfo& info);
  Napi::Value converse(const Napi::CallbackInfo& info);
  Napi::Value watch(const Napi::CallbackInfo& info);
  Napi::Value look(const Napi::CallbackInfo& info);
  Napi::Value unwatch(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  enum class Held { transaction, watch };
  struct Handle;
  /** Null when the value is no such handle of this runner. */
  Handle* handleOf(Napi::Value value, Held held) const;
  static Napi::Value makeHandle(Napi::Env env, const std::shared_ptr<Runner>& runner, Held held, uint64_t id);

  Environment* environment_ = nullptr;
  std::shared_ptr<Runner> runner_;
};

}  // namespace pw
