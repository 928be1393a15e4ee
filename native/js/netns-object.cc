#include "netns-object.h"

#include <utility>

#include "convert.h"
#include "environment.h"

namespace pw {
namespace {

/** Random: tells our objects from everything else that napi_unwrap would return a pointer for. */
constexpr napi_type_tag kTag{0x7f3b1c52d08e4a96, 0xa1c4e97065bd832f};

}  // namespace

/** V8 checks the receiver of methods, but not that of accessors: one borrowed by another class would read its memory.
 */
template <NetnsObject::Getter getter>
napi_value NetnsObject::get(napi_env env, napi_callback_info raw) {
  const Napi::CallbackInfo info(env, raw);
  const NetnsObject* object = checked(info.This());
  if (object != nullptr) return (object->*getter)(env);
  Napi::TypeError::New(env, "a Netns is needed").ThrowAsJavaScriptException();
  return nullptr;
}

template <NetnsObject::Getter getter>
napi_property_descriptor NetnsObject::accessor(const char* name) {
  return {name, nullptr, nullptr, get<getter>, nullptr, nullptr, napi_enumerable, nullptr};
}

void NetnsObject::install(Napi::Env env) {
  const Napi::Function constructor = DefineClass(env, "Netns",
                                                 {
                                                     accessor<&NetnsObject::dev>("dev"),
                                                     accessor<&NetnsObject::ino>("ino"),
                                                     accessor<&NetnsObject::fd>("fd"),
                                                     accessor<&NetnsObject::closed>("closed"),
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

NetnsObject* NetnsObject::checked(Napi::Value value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTag)) return nullptr;
  return Unwrap(value.As<Napi::Object>());
}

std::shared_ptr<const Netns> NetnsObject::from(Napi::Value value, const char** fault) {
  const NetnsObject* object = checked(value);
  if (object == nullptr) {
    *fault = "a Netns is needed";
    return nullptr;
  }
  if (object->netns_ == nullptr) *fault = "the Netns is closed";
  return object->netns_;
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
