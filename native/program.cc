#include "program.h"

#include <algorithm>

namespace pw {
namespace {

/** Walks a program, naming the place of the first fault. */
class Check {
 public:
  Check(size_t namespaces, const Slots& slots) : namespaces_(namespaces), slots_(slots) {}

  std::string program(const Program& program) {
    for (size_t i = 0; i < program.size(); i++) {
      const std::string place = "instruction " + std::to_string(i);
      const Instruction& one = program[i];
      if (std::string fault = instruction(one); !fault.empty()) return place + ": " + fault;
      if (one.op == Op::reap && i + 1 != program.size()) return place + ": reap must be the last";
      for (size_t k = 0; k < one.undo.size(); k++) {
        const std::string where = place + ", undo " + std::to_string(k);
        if (one.undo[k].op == Op::reap) return where + ": reap cannot undo";
        if (one.undo[k].hasUndo) return where + ": an undo has no undo of its own";
        if (std::string fault = instruction(one.undo[k]); !fault.empty()) return where + ": " + fault;
      }
    }
    return {};
  }

 private:
  std::string instruction(const Instruction& one) {
    if (++count_ > kMostInstructions) return "more than " + std::to_string(kMostInstructions) + " instructions";
    if (one.netns >= namespaces_) return "there is no namespace " + std::to_string(one.netns);
    if (std::string fault = slotsOf(one); !fault.empty()) return fault;
    if (one.unlessAny) {
      if (std::string fault = request(one.unlessAny->message, one.unlessAny->relocations); !fault.empty()) return fault;
      if (std::string fault = matches(one.unlessAny->where); !fault.empty()) return fault;
    }
    switch (one.op) {
      case Op::netlink:
        if (one.capture) {
          if (std::string fault = matches(one.capture->where); !fault.empty()) return fault;
        }
        if (one.until) {
          if (std::string fault = matches({one.until->match}); !fault.empty()) return fault;
        }
        return request(one.message, one.relocations);
      case Op::reap: return request(one.message, one.relocations);
      case Op::sysctl:
        if (!isNetSysctl(one.path)) return "the path of a sysctl is below /proc/sys/net/, without ..";
        return one.data ? "" : "a sysctl cannot be removed";
      case Op::file:
      case Op::identity:
        if (one.path.empty() || one.path[0] != '/') return "the path is not absolute";
        return one.path.find('\0') == std::string::npos ? "" : "a zero byte in a path";
    }
    return "no such operation";
  }

  std::string slotsOf(const Instruction& one) {
    for (const auto& slot : {one.unlessSlot, one.ifSlot, one.capture ? std::optional(one.capture->slot) : std::nullopt,
                             one.notice ? one.notice->slot : std::nullopt}) {
      if (slot && *slot >= slots_.size()) return "there is no slot " + std::to_string(*slot);
    }
    return {};
  }

  std::string request(const Bytes& message, const std::vector<Relocation>& relocations) {
    if (std::string fault = checkMessage(message); !fault.empty()) return fault;
    for (const Relocation& relocation : relocations) {
      if (!View{message.data(), message.size()}.contains(relocation.offset, 4) ||
          relocation.offset < kSmallestMessage) {
        return "a relocation at byte " + std::to_string(relocation.offset) + " of " + std::to_string(message.size());
      }
      if (relocation.slot >= slots_.size()) return "there is no slot " + std::to_string(relocation.slot);
    }
    return {};
  }

  static std::string matches(const std::vector<Match>& conditions) {
    for (const Match& match : conditions) {
      if (match.path.empty()) return "a condition without a path";
    }
    return {};
  }

  size_t namespaces_;
  const Slots& slots_;
  size_t count_ = 0;
};

}  // namespace

bool Instruction::tolerates(int error) const {
  return std::find(tolerate.begin(), tolerate.end(), error) != tolerate.end();
}

std::string checkMessage(const Bytes& message) {
  if (message.size() >= kSmallestMessage && message.size() <= kLargestMessage) return {};
  return "a netlink message of " + std::to_string(message.size()) + " bytes; 16 to 1048576 are possible";
}

std::string checkProgram(const Program& program, size_t namespaces, const Slots& slots) {
  if (slots.size() > kMostSlots) return "more than " + std::to_string(kMostSlots) + " slots";
  return Check(namespaces, slots).program(program);
}

std::string relocate(Bytes* message, const std::vector<Relocation>& relocations, const Slots& slots) {
  for (const Relocation& relocation : relocations) {
    const uint32_t value = slots[relocation.slot];
    if (value == 0) return "slot " + std::to_string(relocation.slot) + " is empty";
    storeU32(message->data() + relocation.offset, value);
  }
  return {};
}

}  // namespace pw
