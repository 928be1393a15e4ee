#pragma once

#include <napi.h>

#include <memory>

#include "../netns.h"

namespace pw {

/** class Netns of JavaScript: a handle that may be closed while native jobs still use the descriptor. */
class NetnsObject : public Napi::ObjectWrap<NetnsObject> {
 public:
  static void install(Napi::Env env);
  static Napi::Value make(Napi::Env env, std::shared_ptr<Netns> netns);

  /** Null when the value is no open Netns of ours; `fault` says so. */
  static std::shared_ptr<const Netns> from(Napi::Value value, const char** fault);

  explicit NetnsObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value dev(const Napi::CallbackInfo& info);
  Napi::Value ino(const Napi::CallbackInfo& info);
  Napi::Value fd(const Napi::CallbackInfo& info);
  Napi::Value closed(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<Netns> netns_;
  uint64_t dev_ = 0;
  uint64_t ino_ = 0;
};

/** addon.openNetns(path) */
Napi::Value openNetnsFunction(const Napi::CallbackInfo& info);

}  // namespace pw
