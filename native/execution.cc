#include "execution.h"

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

namespace pw {
namespace {

constexpr std::chrono::microseconds kShortestPause{200};
constexpr std::chrono::microseconds kLongestPause{1000};

View firstFitting(const Bytes& messages, const std::vector<Match>& where) {
  MessageWalk walk({messages.data(), messages.size()});
  View message;
  while (walk.next(&message)) {
    if (allHold(where, message)) return message;
  }
  return {};
}

Bytes copyOf(View view) { return Bytes(view.data, view.data + view.size); }

}  // namespace

Execution::Execution(Workplace* workplace, Transaction* transaction, Program program, Slots slots)
    : workplace_(workplace),
      transaction_(transaction),
      program_(std::move(program)),
      before_(program_.size()),
      toUndo_(program_.size(), false) {
  report.slots = std::move(slots);
}

bool Execution::run() {
  for (size_t i = 0; i < program_.size(); i++) {
    Instruction& one = program_[i];
    if (one.op == Op::reap) {
      Outcome outcome;
      if (guarded(one, &outcome)) {
        if (std::string fault = relocate(&one.message, one.relocations, report.slots); !fault.empty()) {
          outcome.error = EINVAL;
          outcome.text = fault;
        } else if (one.notice && one.notice->slot && report.slots[*one.notice->slot] == 0) {
          outcome.error = EINVAL;
          outcome.text = "slot " + std::to_string(*one.notice->slot) + " is empty";
        } else {
          return true;
        }
      }
      note(i, std::move(outcome));
      return false;
    }
    if (!note(i, execute(one, &before_[i]))) return false;
  }
  return false;
}

uint32_t Execution::reapedValue() const {
  const Notice& notice = *reap().notice;
  return notice.slot ? report.slots[*notice.slot] : notice.value;
}

void Execution::reaped(const Reply& reply) { note(program_.size() - 1, fromReply(reply)); }

bool Execution::note(size_t index, Outcome outcome) {
  const Instruction& one = program_[index];
  const bool accepted = outcome.error == 0 || one.optional || (one.tolerates(outcome.error) && !outcome.unknown);
  toUndo_[index] = (outcome.error == 0 && !outcome.skipped && one.op != Op::identity) || outcome.unknown;
  report.results.push_back({outcome.error, outcome.text, outcome.skipped, std::move(outcome.reply), outcome.met});
  if (accepted) return true;
  report.ok = false;
  report.failed = Failed{index, outcome.error, outcome.text, outcome.offset, outcome.syscall};
  undoAll();
  return false;
}

void Execution::undoAll() {
  for (size_t i = report.results.size(); i-- > 0;) {
    if (!toUndo_[i]) continue;
    const Instruction& one = program_[i];
    if (one.undoneByItself()) {
      if (before_[i].known) restore(i);
      continue;
    }
    for (size_t k = 0; k < one.undo.size(); k++) {
      const Instruction& inverse = one.undo[k];
      Before ignored;
      const Outcome outcome = execute(inverse, &ignored);
      const bool silent = inverse.optional || (inverse.tolerates(outcome.error) && !outcome.unknown);
      report.undone.push_back({i, k, silent ? 0 : outcome.error, outcome.text, outcome.skipped});
    }
  }
}

/** The inverse of a sysctl or a file: what was there. */
void Execution::restore(size_t index) {
  const Instruction& one = program_[index];
  Instruction inverse;
  inverse.op = one.op;
  inverse.netns = one.netns;
  inverse.path = one.path;
  inverse.data = before_[index].content;
  inverse.noUndo = true;
  Before ignored;
  const Outcome outcome = execute(inverse, &ignored);
  report.undone.push_back({index, 0, outcome.error, outcome.text, outcome.skipped});
}

Execution::Outcome Execution::execute(const Instruction& one, Before* before) {
  Outcome outcome;
  if (!guarded(one, &outcome)) return outcome;
  switch (one.op) {
    case Op::netlink: netlink(one, &outcome); break;
    case Op::sysctl: sysctl(one, before, &outcome); break;
    case Op::file: file(one, before, &outcome); break;
    case Op::identity:
      if (Failure failure = checkIdentity(one.path, one.ino)) fail(failure, &outcome);
      break;
    case Op::reap: outcome.error = EINVAL; break;
  }
  return outcome;
}

/** Whether the instruction is to be carried out; else the outcome says why not. */
bool Execution::guarded(const Instruction& one, Outcome* outcome) {
  const Slots& slots = report.slots;
  if ((one.unlessSlot && slots[*one.unlessSlot] != 0) || (one.ifSlot && slots[*one.ifSlot] == 0)) {
    outcome->skipped = true;
    return false;
  }
  if (!one.unlessAny) return true;
  Bytes message = one.unlessAny->message;
  if (std::string fault = relocate(&message, one.unlessAny->relocations, slots); !fault.empty()) {
    outcome->error = EINVAL;
    outcome->text = fault;
    return false;
  }
  const Reply reply = transaction_->request(workplace_, one.netns, &message);
  if (reply.error != 0) {
    *outcome = fromReply(reply);
    // Only the question failed.
    outcome->unknown = false;
    return false;
  }
  outcome->skipped = firstFitting(reply.messages, one.unlessAny->where).data != nullptr;
  return !outcome->skipped;
}

Execution::Outcome Execution::fromReply(const Reply& reply) {
  Outcome outcome;
  outcome.error = reply.error;
  outcome.text = reply.text;
  outcome.offset = reply.offset;
  outcome.syscall = reply.syscall;
  // Once sent, the kernel may have carried it out even though we did not hear of it.
  outcome.unknown = reply.syscall == "recvmsg" || reply.syscall == "poll";
  return outcome;
}

void Execution::netlink(const Instruction& one, Outcome* outcome) {
  Bytes message = one.message;
  if (std::string fault = relocate(&message, one.relocations, report.slots); !fault.empty()) {
    outcome->error = EINVAL;
    outcome->text = fault;
    return;
  }
  const auto deadline = Clock::now() + (one.until ? one.until->time : std::chrono::milliseconds(0));
  auto pause = kShortestPause;
  for (;;) {
    const Reply reply = transaction_->request(workplace_, one.netns, &message);
    *outcome = fromReply(reply);
    if (reply.error != 0) return;
    if (one.capture) {
      const View found = firstFitting(reply.messages, one.capture->where);
      if (!found.contains(one.capture->offset, 4)) {
        outcome->error = ENOENT;
        outcome->text = "the kernel's reply holds no message that fits";
        outcome->unknown = true;
        return;
      }
      report.slots[one.capture->slot] = loadU32(found.data + one.capture->offset);
      outcome->reply = copyOf(found);
    }
    if (!one.until) return;
    const View first = firstFitting(reply.messages, {});
    outcome->reply = copyOf(first);
    outcome->met = one.until->match.holds(first);
    if (*outcome->met || Clock::now() + pause > deadline || workplace_->stop.asked()) return;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

void Execution::fail(const Failure& failure, Outcome* outcome) {
  outcome->error = failure.error;
  outcome->text = failure.text;
  outcome->syscall = failure.syscall;
}

void Execution::sysctl(const Instruction& one, Before* before, Outcome* outcome) {
  const Failure failure = workplace_->home.visit(transaction_->netns(one.netns), [&]() -> Failure {
    if (one.undoneByItself()) {
      std::string value;
      if (Failure unread = readSysctl(one.path, &value)) return unread;
      before->content = std::move(value);
    }
    Failure unwritten = writeSysctl(one.path, *one.data);
    before->known = one.undoneByItself() && !unwritten;
    return unwritten;
  });
  if (!failure) return;
  fail(failure, outcome);
  // Written, but then the way home failed.
  outcome->unknown = before->known;
}

void Execution::file(const Instruction& one, Before* before, Outcome* outcome) {
  if (one.undoneByItself()) {
    if (Failure failure = readFile(one.path, &before->content)) return fail(failure, outcome);
    before->known = true;
  }
  if (Failure failure = replaceFile(one.path, one.data)) fail(failure, outcome);
}

}  // namespace pw
