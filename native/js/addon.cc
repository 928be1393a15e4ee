#include <napi.h>

#include "environment.h"
#include "netns-object.h"
#include "runner-object.h"
#include "words.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  // One per environment: nothing here is static, so the main thread and any number of workers can load the addon.
  auto environment = std::make_unique<pw::Environment>(env);
  if (!environment->usable()) {
    Napi::Error::New(env, "the environment is ending").ThrowAsJavaScriptException();
    return exports;
  }
  env.SetInstanceData(environment.release());
  pw::Words::install(env, pw::Environment::of(env));
  pw::NetnsObject::install(env);
  exports.Set("openNetns", Napi::Function::New<pw::openNetnsFunction>(env, "openNetns"));
  exports.Set("Runner", pw::RunnerObject::define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(pipework, init)
