#pragma once

#include <cstring>
#include <string>
#include <utility>

namespace pw {

/** What is no errno; the words are part of the contract with JavaScript. */
enum class Reason { none, notNsfs, notNet, lockTimeout, closed, stopping, wayHome };

inline const char* reasonWord(Reason reason) {
  switch (reason) {
    case Reason::notNsfs: return "not-nsfs";
    case Reason::notNet: return "not-net";
    case Reason::lockTimeout: return "lock-timeout";
    case Reason::closed: return "closed";
    case Reason::stopping: return "stopping";
    case Reason::wayHome: return "way-home";
    case Reason::none: break;
  }
  return "";
}

// glibc's strerror_r returns the text, the one of POSIX (musl) an int; overloads take either.
inline const char* strerrorText(const char* text, const char*) { return text; }
inline const char* strerrorText(int, const char* buffer) { return buffer; }

/** strerror() shares a buffer between threads; this does not. */
inline std::string describe(int error) {
  char buffer[128] = "";
  return strerrorText(strerror_r(error, buffer, sizeof buffer), buffer);
}

/** Why something could not be done. False when it could. */
struct Failure {
  /** Positive errno, 0 when `reason` says it all. */
  int error = 0;
  Reason reason = Reason::none;
  std::string syscall;
  std::string text;

  explicit operator bool() const { return error != 0 || reason != Reason::none; }
};

inline Failure failedCall(const char* syscall, int error, const std::string& object = {}) {
  std::string text = syscall;
  if (!object.empty()) text += " " + object;
  return {error, Reason::none, syscall, text + ": " + describe(error)};
}

inline Failure refusal(Reason reason, std::string text) { return {0, reason, {}, std::move(text)}; }

}  // namespace pw
