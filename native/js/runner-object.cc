#include "runner-object.h"

#include <linux/netlink.h>

#include <utility>

#include "convert.h"
#include "netns-object.h"
#include "words.h"

namespace pw {
namespace {

/** Random, as for Netns. */
constexpr napi_type_tag kTransactionTag{0x2c9d5e81f7a04b63, 0x8e16b3d94fc2705a};
constexpr napi_type_tag kWatchTag{0x91e04b7d3c5fa826, 0x5b0ce2f8714d936a};

constexpr uint32_t kMostNamespaces = 256;
constexpr uint64_t kDay = 86400000;
constexpr uint64_t kDefaultLockTime = 10000;
constexpr size_t kMostAddress = 128;
constexpr size_t kMostDatagram = 1u << 16;

/** A fault of the caller: as a rejection, so that there is one way to fail. */
Napi::Value misuse(Napi::Env env, const std::string& text) {
  Napi::Value promise;
  Deferred(env, &promise).Reject(Napi::TypeError::New(env, text).Value());
  return promise;
}

Begin readBegin(ObjectReader* reader, napi_value options) {
  Begin begin;
  const napi_value namespaces = reader->get(options, Word::namespaces);
  const uint32_t length = reader->length(namespaces, "namespaces", kMostNamespaces);
  if (length == 0) reader->fail("namespaces: at least one is needed");
  for (uint32_t i = 0; i < length; i++) begin.namespaces.push_back(readNetns(reader, reader->element(namespaces, i)));
  if (const napi_value protocol = reader->get(options, Word::protocol)) {
    begin.protocol = static_cast<int>(reader->integer(protocol, "protocol", MAX_LINKS - 1));
  }
  if (const napi_value path = reader->get(options, Word::lockPath)) {
    begin.lockPath = reader->text(path, "lockPath");
    if (begin.lockPath.empty() || begin.lockPath[0] != '/' || begin.lockPath.find('\0') != std::string::npos) {
      reader->fail("lockPath: an absolute path is needed");
    }
  }
  uint64_t time = kDefaultLockTime;
  if (const napi_value value = reader->get(options, Word::lockTimeoutMs))
    time = reader->integer(value, "lockTimeoutMs", kDay);
  begin.lockTime = std::chrono::milliseconds(time);
  begin.queries = readQueries(reader, reader->get(options, Word::queries), length);
  if (const napi_value guess = reader->get(options, Word::guess)) {
    reader->object(guess, "guess");
    Guess& read = begin.guess.emplace();
    if (!reader->failed()) {
      read.program = readProgram(reader, reader->get(guess, Word::program));
      read.slots = readSlots(reader, reader->get(guess, Word::slots));
    }
  }
  return begin;
}

Exchange readExchange(ObjectReader* reader, napi_value options) {
  Exchange exchange;
  exchange.netns = readNetns(reader, reader->get(options, Word::netns));
  const napi_value socket = reader->get(options, Word::socket);
  if (reader->length(socket, "socket", 3) != 3) reader->fail("socket: [domain, type, protocol] is needed");
  exchange.domain = static_cast<int>(reader->integer(reader->element(socket, 0), "socket", 0xff));
  exchange.type = static_cast<int>(reader->integer(reader->element(socket, 1), "socket", 0xff));
  exchange.protocol = static_cast<int>(reader->integer(reader->element(socket, 2), "socket", 0xffff));
  exchange.address = reader->bytes(reader->get(options, Word::address), "address", kMostAddress);
  exchange.payload = reader->bytes(reader->get(options, Word::payload), "payload", kMostDatagram);
  if (const napi_value match = reader->object(reader->get(options, Word::match), "match")) {
    exchange.offset = reader->integer(match, Word::offset, "offset", kMostDatagram);
    exchange.value = reader->bytes(reader->get(match, Word::value), "value", kMostDatagram);
  }
  exchange.time = std::chrono::milliseconds(reader->integer(options, Word::timeoutMs, "timeoutMs", kDay));
  return exchange;
}

Conversation readConversation(ObjectReader* reader, napi_value options) {
  Conversation conversation;
  if (const napi_value netns = reader->get(options, Word::netns)) conversation.netns = readNetns(reader, netns);
  conversation.path = reader->text(reader->get(options, Word::path), "path");
  const std::string& path = conversation.path;
  // Zero bytes within an abstract name would be part of it; nobody's that is asked has any.
  if (path.size() < 2 || (path[0] != '/' && path[0] != '\0') || path.find('\0', 1) != std::string::npos) {
    reader->fail("path: an absolute path is needed, or a zero byte and an abstract name");
  }
  conversation.payload = reader->bytes(reader->get(options, Word::payload), "payload", kMostDatagram);
  conversation.time = std::chrono::milliseconds(reader->integer(options, Word::timeoutMs, "timeoutMs", kDay));
  if (const napi_value length = reader->get(options, Word::length)) {
    conversation.length = reader->integer(length, "length", kMostDatagram);
  }
  conversation.credentials = reader->flag(options, Word::credentials, "credentials");
  return conversation;
}

/** Rejects when there was a failure. */
bool rejected(Napi::Env env, const Deferred& deferred, const Failure& failure) {
  if (failure) deferred.Reject(errorOf(env, failure));
  return static_cast<bool>(failure);
}

}  // namespace

/**
 * Behind a NativeTransaction or a NativeWatch. A forgotten one is ended by the collector, or its lock would be held for
 * good, and so would the namespace that is watched.
 */
struct RunnerObject::Handle {
  std::weak_ptr<Runner> runner;
  Held held = Held::transaction;
  uint64_t id = 0;

  ~Handle() {
    const auto owner = runner.lock();
    if (owner == nullptr) return;
    const auto ended = [](const Failure&) {};
    if (held == Held::transaction) {
      owner->end(id, ended);
    } else {
      owner->unwatch(id, ended);
    }
  }
};

Napi::Function RunnerObject::define(Napi::Env env) {
  return DefineClass(env, "Runner",
                     {
                         InstanceMethod<&RunnerObject::begin>("begin"),
                         InstanceMethod<&RunnerObject::query>("query"),
                         InstanceMethod<&RunnerObject::run>("run"),
                         InstanceMethod<&RunnerObject::end>("end"),
                         InstanceMethod<&RunnerObject::createNetns>("createNetns"),
                         InstanceMethod<&RunnerObject::readSysctl>("readSysctl"),
                         InstanceMethod<&RunnerObject::exchange>("exchange"),
                         InstanceMethod<&RunnerObject::converse>("converse"),
                         InstanceMethod<&RunnerObject::watch>("watch"),
                         InstanceMethod<&RunnerObject::look>("look"),
                         InstanceMethod<&RunnerObject::unwatch>("unwatch"),
                         InstanceMethod<&RunnerObject::close>("close"),
                     });
}

RunnerObject::RunnerObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<RunnerObject>(info), environment_(Environment::of(info.Env())) {
  runner_ = environment_->makeRunner();
}

RunnerObject::~RunnerObject() {
  // At the end of the environment everything has been stopped before, and the environment may be gone.
  if (runner_ != nullptr && !runner_->stopping()) environment_->abandonRunner(runner_);
}

Napi::Value RunnerObject::makeHandle(Napi::Env env, const std::shared_ptr<Runner>& runner, Held held, uint64_t id) {
  auto handle = std::make_unique<Handle>();
  handle->runner = runner;
  handle->held = held;
  handle->id = id;
  const Napi::Object object = Napi::Object::New(env);
  const napi_property_descriptor property{
      "id",   nullptr, nullptr, nullptr, nullptr, Napi::Number::New(env, static_cast<double>(id)), napi_enumerable,
      nullptr};
  napi_define_properties(env, object, 1, &property);
  object.TypeTag(held == Held::transaction ? &kTransactionTag : &kWatchTag);
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Handle*>(data); };
  if (napi_wrap(env, object, handle.get(), finalize, nullptr, nullptr) == napi_ok) handle.release();
  return object;
}

RunnerObject::Handle* RunnerObject::handleOf(Napi::Value value, Held held) const {
  const napi_type_tag& tag = held == Held::transaction ? kTransactionTag : kWatchTag;
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&tag)) return nullptr;
  void* data = nullptr;
  if (napi_unwrap(value.Env(), value, &data) != napi_ok) return nullptr;
  auto* handle = static_cast<Handle*>(data);
  return handle->runner.lock() == runner_ ? handle : nullptr;
}

Napi::Value RunnerObject::begin(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Words words(env);
  ObjectReader reader(&words);
  const napi_value options = reader.object(info[0], "begin");
  if (reader.failed()) return misuse(env, reader.fault());
  Begin begin = readBegin(&reader, options);
  if (reader.failed()) return misuse(env, reader.fault());
  auto [promise, done] = environment_->promise<Begun>(
      env, Value(), [runner = runner_](Napi::Env env, const Deferred& deferred, const Begun& begun) {
        if (rejected(env, deferred, begun.failure)) return;
        if (!begun.fault.empty()) return deferred.Reject(Napi::TypeError::New(env, begun.fault).Value());
        Words words(env);
        const Napi::Object object = Napi::Object::New(env);
        if (begun.report) {
          words.set(object, Word::report, objectOf(&words, *begun.report));
        } else {
          words.set(object, Word::transaction, makeHandle(env, runner, Held::transaction, begun.transaction));
        }
        words.set(object, Word::answers, arrayOf(&words, begun.answers));
        deferred.Resolve(object);
      });
  runner_->begin(std::move(begin), std::move(done));
  return promise;
}

Napi::Value RunnerObject::query(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Handle* transaction = handleOf(info[0], Held::transaction);
  if (transaction == nullptr) return misuse(env, "query: a transaction of this runner is needed");
  Words words(env);
  ObjectReader reader(&words);
  std::vector<Query> queries = readQueries(&reader, info[1], kMostNamespaces);
  if (reader.failed()) return misuse(env, reader.fault());
  auto [promise, done] =
      environment_->promise<Answers>(env, Value(), [](Napi::Env env, const Deferred& deferred, const Answers& answers) {
        if (rejected(env, deferred, answers.failure)) return;
        Words words(env);
        deferred.Resolve(arrayOf(&words, answers.answers));
      });
  runner_->query(transaction->id, std::move(queries), std::move(done));
  return promise;
}

Napi::Value RunnerObject::run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Handle* transaction = handleOf(info[0], Held::transaction);
  if (transaction == nullptr) return misuse(env, "run: a transaction of this runner is needed");
  Words words(env);
  ObjectReader reader(&words);
  Program program = readProgram(&reader, info[1]);
  Slots slots = readSlots(&reader, info[2]);
  const bool keep = !info[3].IsUndefined() && reader.boolean(info[3], "keep");
  if (reader.failed()) return misuse(env, reader.fault());
  auto [promise, done] =
      environment_->promise<Ran>(env, Value(), [](Napi::Env env, const Deferred& deferred, const Ran& ran) {
        if (rejected(env, deferred, ran.failure)) return;
        if (!ran.fault.empty()) return deferred.Reject(Napi::TypeError::New(env, ran.fault).Value());
        Words words(env);
        deferred.Resolve(objectOf(&words, ran.report));
      });
  runner_->run(transaction->id, std::move(program), std::move(slots), keep, std::move(done));
  return promise;
}

Napi::Value RunnerObject::end(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Handle* transaction = handleOf(info[0], Held::transaction);
  if (transaction == nullptr) return misuse(env, "end: a transaction of this runner is needed");
  auto [promise, done] =
      environment_->promise<Failure>(env, Value(), [](Napi::Env env, const Deferred& deferred, const Failure& failure) {
        if (!rejected(env, deferred, failure)) deferred.Resolve(env.Undefined());
      });
  runner_->end(transaction->id, std::move(done));
  return promise;
}

Napi::Value RunnerObject::createNetns(const Napi::CallbackInfo& info) {
  auto [promise, done] = environment_->promise<Created>(
      info.Env(), Value(), [](Napi::Env env, const Deferred& deferred, const Created& created) {
        if (!rejected(env, deferred, created.failure)) deferred.Resolve(NetnsObject::make(env, created.netns));
      });
  runner_->createNetns(std::move(done));
  return promise;
}

Napi::Value RunnerObject::readSysctl(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Words words(env);
  ObjectReader reader(&words);
  auto netns = readNetns(&reader, info[0]);
  std::string path = reader.text(info[1], "path");
  if (!reader.failed() && !isNetSysctl(path)) reader.fail("the path of a sysctl is below /proc/sys/net/, without ..");
  if (reader.failed()) return misuse(env, reader.fault());
  auto [promise, done] = environment_->promise<pw::Value>(
      env, Value(), [](Napi::Env env, const Deferred& deferred, const pw::Value& value) {
        if (!rejected(env, deferred, value.failure)) deferred.Resolve(Napi::String::New(env, value.text));
      });
  runner_->readSysctl(std::move(netns), std::move(path), std::move(done));
  return promise;
}

Napi::Value RunnerObject::exchange(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Words words(env);
  ObjectReader reader(&words);
  const napi_value options = reader.object(info[0], "exchange");
  if (reader.failed()) return misuse(env, reader.fault());
  Exchange exchange = readExchange(&reader, options);
  if (reader.failed()) return misuse(env, reader.fault());
  auto [promise, done] = environment_->promise<Exchanged>(
      env, Value(), [](Napi::Env env, const Deferred& deferred, const Exchanged& exchanged) {
        if (rejected(env, deferred, exchanged.failure)) return;
        deferred.Resolve(exchanged.datagram ? bytesOf(env, *exchanged.datagram) : env.Null());
      });
  runner_->exchange(std::move(exchange), std::move(done));
  return promise;
}

Napi::Value RunnerObject::converse(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Words words(env);
  ObjectReader reader(&words);
  const napi_value options = reader.object(info[0], "converse");
  if (reader.failed()) return misuse(env, reader.fault());
  Conversation conversation = readConversation(&reader, options);
  if (reader.failed()) return misuse(env, reader.fault());
  auto [promise, done] = environment_->promise<Conversed>(
      env, Value(), [](Napi::Env env, const Deferred& deferred, const Conversed& conversed) {
        if (!rejected(env, deferred, conversed.failure)) deferred.Resolve(bytesOf(env, conversed.answer));
      });
  runner_->converse(std::move(conversation), std::move(done));
  return promise;
}

Napi::Value RunnerObject::watch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Words words(env);
  ObjectReader reader(&words);
  const napi_value options = reader.object(info[0], "watch");
  if (reader.failed()) return misuse(env, reader.fault());
  Watching watching = readWatching(&reader, options);
  if (reader.failed()) return misuse(env, reader.fault());
  auto [promise, done] = environment_->promise<Watched>(
      env, Value(), [runner = runner_](Napi::Env env, const Deferred& deferred, const Watched& watched) {
        if (rejected(env, deferred, watched.failure)) return;
        deferred.Resolve(makeHandle(env, runner, Held::watch, watched.watch));
      });
  runner_->watch(std::move(watching), std::move(done));
  return promise;
}

Napi::Value RunnerObject::look(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Handle* watch = handleOf(info[0], Held::watch);
  if (watch == nullptr) return misuse(env, "look: a watch of this runner is needed");
  Words words(env);
  ObjectReader reader(&words);
  std::vector<Query> queries = readQueries(&reader, info[1], 1);
  if (reader.failed()) return misuse(env, reader.fault());
  // While somebody looks neither may be collected, and a promise keeps one object.
  const napi_property_descriptor property{"runner", nullptr, nullptr,      nullptr,
                                          nullptr,  Value(), napi_default, nullptr};
  napi_define_properties(env, info[0], 1, &property);
  auto [promise, done] = environment_->promise<Looked>(
      env, info[0].As<Napi::Object>(), [](Napi::Env env, const Deferred& deferred, const Looked& looked) {
        if (rejected(env, deferred, looked.failure)) return;
        Words words(env);
        deferred.Resolve(looked.answers ? arrayOf(&words, *looked.answers) : env.Null());
      });
  runner_->look(watch->id, std::move(queries), std::move(done));
  return promise;
}

Napi::Value RunnerObject::unwatch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Handle* watch = handleOf(info[0], Held::watch);
  if (watch == nullptr) return misuse(env, "unwatch: a watch of this runner is needed");
  auto [promise, done] =
      environment_->promise<Failure>(env, Value(), [](Napi::Env env, const Deferred& deferred, const Failure& failure) {
        if (!rejected(env, deferred, failure)) deferred.Resolve(env.Undefined());
      });
  runner_->unwatch(watch->id, std::move(done));
  return promise;
}

Napi::Value RunnerObject::close(const Napi::CallbackInfo& info) {
  return environment_->stopRunner(info.Env(), runner_);
}

}  // namespace pw
