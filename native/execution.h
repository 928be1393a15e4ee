#pragma once

#include <optional>
#include <string>
#include <vector>

#include "program.h"
#include "transaction.h"

namespace pw {

struct Result {
  int error = 0;
  std::string text;
  bool skipped = false;
  Bytes reply;
  std::optional<bool> met;
};

struct Failed {
  size_t index = 0;
  int error = 0;
  std::string text;
  int64_t offset = -1;
  std::string syscall;
};

struct Undone {
  size_t index = 0;
  size_t position = 0;
  int error = 0;
  std::string text;
  bool skipped = false;
};

struct Report {
  bool ok = true;
  std::vector<Result> results;
  Slots slots;
  std::optional<Failed> failed;
  std::vector<Undone> undone;
  /** "notice", "ack", or empty. */
  std::string via;
};

/** Runs a checked program within a transaction, and takes back what was done when an instruction fails. */
class Execution {
 public:
  Execution(Workplace* workplace, Transaction* transaction, Program program, Slots slots);

  /** True when the last instruction is a reap that now has to be sent; else the report is complete. */
  bool run();
  /** The message to send, relocated, and what to look for. */
  const Instruction& reap() const { return program_.back(); }
  uint32_t reapedValue() const;
  /** The answer to the reap, or that it could not be sent. */
  void reaped(const Reply& reply);

  Report report;

 private:
  /** How one instruction ended. */
  struct Outcome {
    int error = 0;
    std::string text;
    int64_t offset = -1;
    std::string syscall;
    bool skipped = false;
    /** It failed, but the kernel may have done it. */
    bool unknown = false;
    Bytes reply;
    std::optional<bool> met;
  };
  /** What a sysctl or a file held before. */
  struct Before {
    bool known = false;
    Content content;
  };

  Outcome execute(const Instruction& one, Before* before);
  bool guarded(const Instruction& one, Outcome* outcome);
  void netlink(const Instruction& one, Outcome* outcome);
  void sysctl(const Instruction& one, Before* before, Outcome* outcome);
  void file(const Instruction& one, Before* before, Outcome* outcome);
  /** Notes the outcome of instruction `index`; false when it ends the program. */
  bool note(size_t index, Outcome outcome);
  void undoAll();
  void restore(size_t index);

  static Outcome fromReply(const Reply& reply);
  static void fail(const Failure& failure, Outcome* outcome);

  Workplace* workplace_;
  Transaction* transaction_;
  Program program_;
  std::vector<Before> before_;
  /** Instructions that may have had an effect. */
  std::vector<bool> toUndo_;
};

}  // namespace pw
