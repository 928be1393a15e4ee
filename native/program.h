#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attribute.h"
#include "file.h"

namespace pw {

enum class Op { netlink = 0, sysctl = 1, file = 2, reap = 3, identity = 4 };

/** Four bytes of a message that come from a slot. */
struct Relocation {
  uint32_t offset = 0;
  uint32_t slot = 0;
};

struct Capture {
  uint32_t slot = 0;
  /** From the start of the reply message. */
  uint32_t offset = 0;
  std::vector<Match> where;
};

struct Until {
  Match match;
  std::chrono::milliseconds time{0};
};

struct Guard {
  Bytes message;
  std::vector<Relocation> relocations;
  std::vector<Match> where;
};

struct Notice {
  uint32_t group = 0;
  uint16_t type = 0;
  uint32_t offset = 0;
  uint32_t value = 0;
  std::optional<uint32_t> slot;
};

/** One instruction; src/kernel/native.ts says what each field means. */
struct Instruction {
  Op op = Op::netlink;
  uint32_t netns = 0;
  Bytes message;
  std::vector<Relocation> relocations;
  std::optional<Capture> capture;
  std::vector<int> tolerate;
  bool optional = false;
  std::optional<Until> until;
  std::optional<uint32_t> unlessSlot;
  std::optional<uint32_t> ifSlot;
  std::optional<Guard> unlessAny;
  std::string path;
  Content data;
  uint64_t ino = 0;
  std::optional<Notice> notice;
  bool hasUndo = false;
  std::vector<Instruction> undo;
  bool noUndo = false;

  bool tolerates(int error) const;
  /** Taken back by writing what was there before. */
  bool undoneByItself() const { return (op == Op::sysctl || op == Op::file) && !hasUndo && !noUndo; }
};

using Program = std::vector<Instruction>;
/** Ifindexes and the like; 0 is an empty slot. */
using Slots = std::vector<uint32_t>;

constexpr size_t kSmallestMessage = 16;
constexpr size_t kLargestMessage = 1u << 20;
/** Undo instructions included. */
constexpr size_t kMostInstructions = 4096;
constexpr size_t kMostSlots = 4096;

/** Whether one request message may be sent at all; the fault in words, or empty. */
std::string checkMessage(const Bytes& message);

/** Everything that can be known before the first effect; the first fault in words, or empty. */
std::string checkProgram(const Program& program, size_t namespaces, const Slots& slots);

/** Writes the slots into the message; the fault in words when one of them is empty. */
std::string relocate(Bytes* message, const std::vector<Relocation>& relocations, const Slots& slots);

}  // namespace pw
