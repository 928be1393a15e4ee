#include "mailbox.h"

#include <utility>

namespace pw {

std::shared_ptr<Mailbox> Mailbox::create(Napi::Env env) {
  auto mailbox = std::make_shared<Mailbox>();
  const Napi::String name = Napi::String::New(env, "pipework");
  napi_threadsafe_function function;
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, deliver,
                                      &function) != napi_ok) {
    return nullptr;
  }
  napi_unref_threadsafe_function(env, function);
  mailbox->function_ = function;
  return mailbox;
}

void Mailbox::post(Task task) {
  auto letter = std::make_unique<Task>(std::move(task));
  std::lock_guard<std::mutex> guard(mutex_);
  if (function_ == nullptr) return;
  if (napi_call_threadsafe_function(function_, letter.get(), napi_tsfn_nonblocking) == napi_ok) letter.release();
}

void Mailbox::deliver(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Task> task(static_cast<Task*>(data));
  // Without an environment the queue is only being emptied.
  if (env != nullptr) (*task)(env);
}

void Mailbox::hold(Napi::Env env) {
  if (holds_++ == 0 && function_ != nullptr) napi_ref_threadsafe_function(env, function_);
}

void Mailbox::letGo(Napi::Env env) {
  if (--holds_ == 0 && function_ != nullptr) napi_unref_threadsafe_function(env, function_);
}

void Mailbox::shut() {
  std::lock_guard<std::mutex> guard(mutex_);
  function_ = nullptr;
}

}  // namespace pw
