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
  Napi::Value dev(Napi::Env env) const { return Napi::Number::New(env, static_cast<double>(dev_)); }
  Napi::Value ino(Napi::Env env) const { return Napi::Number::New(env, static_cast<double>(ino_)); }
  Napi::Value fd(Napi::Env env) const { return Napi::Number::New(env, netns_ == nullptr ? -1 : netns_->fd.get()); }
  Napi::Value closed(Napi::Env env) const { return Napi::Boolean::New(env, netns_ == nullptr); }
  Napi::Value close(const Napi::CallbackInfo& info);

  using Getter = Napi::Value (NetnsObject::*)(Napi::Env env) const;
  template <Getter getter>
  static napi_value get(napi_env env, napi_callback_info raw);
  template <Getter getter>
  static napi_property_descriptor accessor(const char* name);
  /** Null when the value is no Netns of ours. */
  static NetnsObject* checked(Napi::Value value);

  std::shared_ptr<Netns> netns_;
  uint64_t dev_ = 0;
  uint64_t ino_ = 0;
};

/** addon.openNetns(path) */
Napi::Value openNetnsFunction(const Napi::CallbackInfo& info);

}  // namespace pw
