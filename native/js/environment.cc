#include "environment.h"

namespace pw {

Environment::Environment(Napi::Env env) : mailbox_(Mailbox::create(env)) {
  if (mailbox_ == nullptr) return;
  // Hooks run in the reverse of this order: ours before the one that frees the mailbox's thread-safe function.
  napi_add_env_cleanup_hook(env, cleanUp, this);
}

/**
 * The environment ends, perhaps in the middle of everything. What runs is finished or undone, what waits is refused,
 * and the threads are joined: their code may be unmapped with a worker.
 */
void Environment::cleanUp(void* data) {
  auto* self = static_cast<Environment*>(data);
  self->mailbox_->shut();
  for (auto& [runner, live] : self->runners_) runner->stop();
  for (auto& [runner, live] : self->runners_) runner->join();
  self->runners_.clear();
  self->pending_.clear();
}

std::pair<uint64_t, Napi::Value> Environment::open(Napi::Env env, Napi::Object owner) {
  const uint64_t id = ++lastId_;
  Napi::Value promise;
  const Deferred deferred(env, &promise);
  pending_.emplace(id, Pending{deferred, Napi::Persistent(owner)});
  mailbox_->hold(env);
  return {id, promise};
}

Deferred Environment::close(Napi::Env env, uint64_t id) {
  const auto found = pending_.find(id);
  const Deferred deferred = found->second.deferred;
  pending_.erase(found);
  mailbox_->letGo(env);
  return deferred;
}

std::shared_ptr<Runner> Environment::makeRunner() {
  // The runner's thread knows only its own address, and only to name it here.
  auto address = std::make_shared<Runner*>(nullptr);
  auto runner = std::make_shared<Runner>([this, mailbox = mailbox_, address] {
    mailbox->post([this, address](Napi::Env env) { runnerStopped(env, *address); });
  });
  *address = runner.get();
  runners_[runner.get()].runner = runner;
  return runner;
}

void Environment::abandonRunner(const std::shared_ptr<Runner>& runner) {
  if (!runner->stop()) runners_.erase(runner.get());
}

Napi::Value Environment::stopRunner(Napi::Env env, const std::shared_ptr<Runner>& runner) {
  Napi::Value promise;
  const Deferred deferred(env, &promise);
  const bool stopping = runner->stop();
  const auto found = runners_.find(runner.get());
  if (!stopping || found == runners_.end()) {
    if (found != runners_.end()) runners_.erase(found);
    deferred.Resolve(env.Undefined());
  } else {
    mailbox_->hold(env);
    found->second.closing.push_back(deferred);
  }
  return promise;
}

void Environment::runnerStopped(Napi::Env env, Runner* runner) {
  const auto found = runners_.find(runner);
  if (found == runners_.end()) return;
  const Live live = std::move(found->second);
  runners_.erase(found);
  live.runner->join();
  for (const Deferred& deferred : live.closing) {
    mailbox_->letGo(env);
    deferred.Resolve(env.Undefined());
  }
}

}  // namespace pw
