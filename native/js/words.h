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

/** Property names of the contract (src/kernel/native.ts); errno is a macro, and so has an underscore here. */
// clang-format off
#define PW_WORDS(word) \
  word(address) word(answers) word(capture) word(credentials) word(data) word(domain) word(errno_) word(expect) \
  word(failed) word(fd) word(group) word(groups) word(guess) word(header) word(id) word(ifSlot) word(index) word(ino) \
  word(keep) word(length) word(lockPath) word(lockTimeoutMs) word(match) word(message) word(met) word(namespaces) \
  word(netns) word(none) word(notable) word(notice) word(noUndo) word(offset) word(ok) word(op) word(optional) \
  word(path) word(payload) word(pid) word(position) word(program) word(protocol) word(queries) word(reason) \
  word(relocations) word(replies) word(reply) word(report) word(results) word(skipped) word(slot) word(slots) \
  word(socket) word(syscall) word(text) word(timeoutMs) word(tolerate) word(transaction) word(type) word(undo) \
  word(undone) word(unlessAny) word(unlessSlot) word(until) word(value) word(via) word(where) word(words)
// clang-format on

#define PW_ENUMERATOR(name) name,
enum class Word { PW_WORDS(PW_ENUMERATOR) count };
#undef PW_ENUMERATOR

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
 * Reads plain objects. The first fault is kept and everything after it reads as nothing, so a caller checks once, at
 * the end. No exception is left pending, whatever a getter throws.
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
