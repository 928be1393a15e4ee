#include "netns-object.h"

#include <utility>

#include "convert.h"
#include "environment.h"

namespace pw {
namespace {

/** Random: tells our objects from everything else that napi_unwrap would return a pointer for. */
constexpr napi_type_tag kTag{0x7f3b1c52d08e4a96, 0xa1c4e97065bd832f};

}  // namespace

void NetnsObject::install(Napi::Env env) {
  const Napi::Function constructor = DefineClass(env, "Netns",
                                                 {
                                                     InstanceAccessor<&NetnsObject::dev>("dev", napi_enumerable),
                                                     InstanceAccessor<&NetnsObject::ino>("ino", napi_enumerable),
                                                     InstanceAccessor<&NetnsObject::fd>("fd", napi_enumerable),
                                                     InstanceAccessor<&NetnsObject::closed>("closed", napi_enumerable),
                                                     InstanceMethod<&NetnsObject::close>("close"),
                                                 });
  Environment::of(env)->netnsClass = Napi::Persistent(constructor);
}

Napi::Value NetnsObject::make(Napi::Env env, std::shared_ptr<Netns> netns) {
  Environment* environment = Environment::of(env);
  environment->newborn = std::move(netns);
  return environment->netnsClass.New({});
}

NetnsObject::NetnsObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NetnsObject>(info) {
  netns_ = std::exchange(Environment::of(info.Env())->newborn, nullptr);
  if (netns_ == nullptr) {
    Napi::TypeError::New(info.Env(), "a Netns comes from openNetns() or createNetns()").ThrowAsJavaScriptException();
    return;
  }
  dev_ = netns_->dev;
  ino_ = netns_->ino;
  info.This().As<Napi::Object>().TypeTag(&kTag);
}

std::shared_ptr<const Netns> NetnsObject::from(Napi::Value value, const char** fault) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTag)) {
    *fault = "a Netns is needed";
    return nullptr;
  }
  std::shared_ptr<const Netns> netns = Unwrap(value.As<Napi::Object>())->netns_;
  if (netns == nullptr) *fault = "the Netns is closed";
  return netns;
}

Napi::Value NetnsObject::dev(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), dev_); }
Napi::Value NetnsObject::ino(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), ino_); }

Napi::Value NetnsObject::fd(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), netns_ == nullptr ? -1 : netns_->fd.get());
}

Napi::Value NetnsObject::closed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), netns_ == nullptr);
}

Napi::Value NetnsObject::close(const Napi::CallbackInfo& info) {
  netns_.reset();
  return info.Env().Undefined();
}

Napi::Value openNetnsFunction(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) {
    Napi::TypeError::New(env, "openNetns: a path is needed").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  auto netns = std::make_shared<Netns>();
  Failure failure = path.find('\0') == std::string::npos ? openNetns(path, netns.get())
                                                         : failedCall("open", EINVAL, "a path with a zero byte");
  if (failure) {
    napi_throw(env, errorOf(env, failure));
    return env.Undefined();
  }
  return NetnsObject::make(env, std::move(netns));
}

}  // namespace pw
