#pragma once

#include <napi.h>

namespace pw {

/**
 * Settles a promise. In place of Napi::Promise::Deferred, which returns an uninitialised promise when the environment
 * makes no more of them: that of a worker that is being terminated, at any moment.
 */
class Deferred {
 public:
  Deferred() = default;
  /** `promise` stays empty, and settling does nothing, when none can be made. */
  Deferred(Napi::Env env, Napi::Value* promise) : env_(env) {
    napi_value value = nullptr;
    if (napi_create_promise(env, &deferred_, &value) == napi_ok) {
      *promise = Napi::Value(env, value);
    } else {
      deferred_ = nullptr;
    }
  }

  void Resolve(napi_value value) const {
    if (deferred_ != nullptr) napi_resolve_deferred(env_, deferred_, value);
  }
  void Reject(napi_value value) const {
    if (deferred_ != nullptr) napi_reject_deferred(env_, deferred_, value);
  }

 private:
  napi_env env_ = nullptr;
  napi_deferred deferred_ = nullptr;
};

}  // namespace pw
