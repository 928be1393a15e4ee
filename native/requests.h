#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "execution.h"
#include "expectation.h"
#include "transaction.h"

// What a runner is asked for, and what it answers; src/kernel/native.ts says what each field means.

namespace pw {

/** Of a dump only the messages that have one of these values at that byte are of interest. */
struct Keep {
  uint32_t offset = 0;
  Bytes values;
};

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
  /** Of a unix stream socket. */
  std::string path;
  Bytes payload;
  std::chrono::milliseconds time{0};
};

struct Conversed {
  Failure failure;
  Bytes answer;
};

}  // namespace pw
