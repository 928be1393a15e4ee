#pragma once

#include <napi.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "../netns.h"
#include "../runner.h"
#include "deferred.h"
#include "mailbox.h"

namespace pw {

/** Everything this addon has in one environment (the main thread or one worker). JavaScript thread only. */
class Environment {
 public:
  static Environment* of(Napi::Env env) { return env.GetInstanceData<Environment>(); }

  explicit Environment(Napi::Env env);

  bool usable() const { return mailbox_ != nullptr; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

  /** A promise, and the callback by which a native thread settles it. `owner` lives at least until then. */
  template <typename T, typename Settle>
  std::pair<Napi::Value, Done<T>> promise(Napi::Env env, Napi::Object owner, Settle settle) {
    auto [id, value] = open(env, owner);
    // Only `this` and a number travel to other threads: references to values belong to this one.
    Done<T> done = [this, mailbox = mailbox_, id = id, settle](T result) {
      auto shared = std::make_shared<T>(std::move(result));
      mailbox->post([this, id, settle, shared](Napi::Env env) { settle(env, close(env, id), *shared); });
    };
    return {value, std::move(done)};
  }

  std::shared_ptr<Runner> makeRunner();
  /** Settles when the runner's threads have ended; at once when they have. */
  Napi::Value stopRunner(Napi::Env env, const std::shared_ptr<Runner>& runner);
  /** Without anybody waiting for the end. */
  void abandonRunner(const std::shared_ptr<Runner>& runner);

  /** Property names, as an array of strings: see words.h. */
  Napi::Reference<Napi::Array> words;
  Napi::FunctionReference netnsClass;
  /** Handed to the constructor of Netns, which JavaScript cannot call with success. */
  std::shared_ptr<Netns> newborn;

 private:
  struct Pending {
    Deferred deferred;
    Napi::ObjectReference owner;
  };
  struct Live {
    std::shared_ptr<Runner> runner;
    std::vector<Deferred> closing;
  };

  static void cleanUp(void* self);
  std::pair<uint64_t, Napi::Value> open(Napi::Env env, Napi::Object owner);
  Deferred close(Napi::Env env, uint64_t id);
  void runnerStopped(Napi::Env env, Runner* runner);

  std::shared_ptr<Mailbox> mailbox_;
  std::map<uint64_t, Pending> pending_;
  uint64_t lastId_ = 0;
  /** Every runner whose threads have not been joined. */
  std::map<Runner*, Live> runners_;
};

}  // namespace pw
