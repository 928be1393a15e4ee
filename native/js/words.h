#pragma once

#include <napi.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../attribute.h"
#include "environment.h"

namespace pw {

/** Property names of the contract (src/kernel/native.ts), in the spelling of JavaScript. */
enum class Word {
  address, answers, capture, data, domain, errno_, expect, failed, fd, group, guess, header, id, ifSlot, index, ino, lockPath, lockTimeoutMs,
  match, message, met, namespaces, netns, noUndo, none, notice, offset, ok, op, optional, path, payload, position, program, protocol,
  queries, reason, relocations, replies, reply, report, results, skipped, slot, slots, socket, syscall, text, timeoutMs, tolerate,
  transaction, type, undo, undone, unlessAny, unlessSlot, until, value, via, where, words, count
};

/** The names as values: looked up once per call, because making a string costs more than reading the property. */
class Words {
 public:
  static void install(Napi::Env env, Environment* environment);

  explicit Words(Napi::Env env);
  Napi::Env env() const { return env_; }
  napi_value operator[](Word word);
  void set(napi_value object, Word word, napi_value value);

 private:
  Napi::Env env_;
  napi_value array_;
  std::array<napi_value, static_cast<size_t>(Word::count)> values_{};
};

/**
 * Reads plain objects. The first fault is kept and everything after it reads as nothing, so a caller checks once, at the
 * end. No exception is left pending, whatever a getter throws.
 */
class ObjectReader {
 public:
  explicit ObjectReader(Words* words) : words_(words) {}

  bool failed() const { return !fault_.empty(); }
  const std::string& fault() const { return fault_; }
  void fail(const std::string& fault) {
    if (fault_.empty()) fault_ = fault;
  }

  /** Says where the fault was, if there was one. */
  void place(const std::string& where) {
    if (failed()) fault_ = where + ": " + fault_;
  }

  /** nullptr when absent: undefined, or not there. null is a value. */
  napi_value get(napi_value object, Word word);
  napi_value element(napi_value array, uint32_t index);
  uint32_t length(napi_value array, const char* what, uint32_t most);
  bool isNull(napi_value value);

  uint64_t integer(napi_value value, const char* what, uint64_t most);
  std::string text(napi_value value, const char* what);
  Bytes bytes(napi_value value, const char* what, size_t most);
  bool boolean(napi_value value, const char* what);
  napi_value object(napi_value value, const char* what);

  /** The same for a property that has to be there. */
  uint64_t integer(napi_value object, Word word, const char* what, uint64_t most);
  std::optional<uint32_t> optionalIndex(napi_value object, Word word, const char* what);
  bool flag(napi_value object, Word word, const char* what);

  Words* words() { return words_; }

 private:
  bool succeeded(napi_status status);

  Words* words_;
  std::string fault_;
};

}  // namespace pw
