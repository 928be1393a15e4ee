#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "execution.h"
#include "expectation.h"
#include "keep.h"
#include "transaction.h"

// What a runner is asked for, and what it answers; src/kernel/native.ts says what each field means.

namespace pw {

/** Called exactly once, on some thread of the runner (or the caller's own, when refused at once). It may not block. */
template <typename T>
using Done = std::function<void(T)>;

struct Query {
  uint32_t netns = 0;
  Bytes message;
  std::optional<Keep> keep;
  std::optional<Expectation> expect;
};

/** A program for the answers that are expected. */
struct Guess {
  Program program;
  Slots slots;
};

struct Answer {
  int error = 0;
  std::string text;
  Bytes replies;
};

struct Begin {
  Namespaces namespaces;
  int protocol = 0;
  /** Empty: no lock. */
  std::string lockPath;
  std::chrono::milliseconds lockTime{0};
  std::vector<Query> queries;
  std::optional<Guess> guess;
};

struct Begun {
  Failure failure;
  /** A fault of the caller: the guessed program was refused before anything was done. */
  std::string fault;
  /** The guess held, and its program ended the transaction. */
  std::optional<Report> report;
  uint64_t transaction = 0;
  std::vector<Answer> answers;
};

struct Answers {
  Failure failure;
  std::vector<Answer> answers;
};

struct Ran {
  /** The program could not be begun at all; else `report` tells. */
  Failure failure;
  /** A fault of the caller: the program was refused before anything was done. */
  std::string fault;
  Report report;
};

struct Created {
  Failure failure;
  std::shared_ptr<Netns> netns;
};

struct Value {
  Failure failure;
  std::string text;
};

struct Exchange {
  std::shared_ptr<const Netns> netns;
  int domain = 0;
  int type = 0;
  int protocol = 0;
  Bytes address;
  Bytes payload;
  size_t offset = 0;
  Bytes value;
  std::chrono::milliseconds time{0};
};

struct Exchanged {
  Failure failure;
  /** No value: nothing that matches came in time. */
  std::optional<Bytes> datagram;
};

struct Conversation {
  std::shared_ptr<const Netns> netns;
  /** Of a unix stream socket; one that begins with a zero byte is a name in the abstract namespace (unix(7)). */
  std::string path;
  Bytes payload;
  std::chrono::milliseconds time{0};
  /** Bytes of a whole answer; 0: it ends where the other side closes. */
  size_t length = 0;
  /** Sends our credentials along, and puts the answerer's struct ucred before the answer. */
  bool credentials = false;
};

struct Conversed {
  Failure failure;
  Bytes answer;
};

/** Notices of this type wake a watch; with `keep`, only those that it holds for. */
struct Notable {
  uint16_t type = 0;
  std::optional<Keep> keep;
};

struct Watching {
  std::shared_ptr<const Netns> netns;
  int protocol = 0;
  std::vector<uint32_t> groups;
  std::vector<Notable> notables;
  /** 0: the guest has no process of its own. */
  pid_t pid = 0;
  /** The file that is the namespace while the guest lives. Empty: it never ends. */
  std::string path;
};

struct Watched {
  Failure failure;
  uint64_t watch = 0;
};

struct Looked {
  Failure failure;
  /** No value: the guest has ended. */
  std::optional<std::vector<Answer>> answers;
};

}  // namespace pw
