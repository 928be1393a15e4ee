#include "program.h"

#include "check.h"

using namespace pw;

namespace {

Instruction netlink(size_t size = 32) {
  Instruction one;
  one.message = Bytes(size);
  return one;
}

std::string fault(const Instruction& one, const Slots& slots = {0, 0}) { return checkProgram({one}, 2, slots); }

TEST("a sound program has no fault") {
  Instruction one = netlink();
  one.relocations = {{28, 1}, {16, 0}};
  one.capture = Capture{1, 20, {{16, {3}, {1}}}};
  one.unlessSlot = 0;
  one.ifSlot = 1;
  one.undo = {netlink()};
  one.hasUndo = true;
  Instruction last = netlink();
  last.op = Op::reap;
  last.notice = Notice{1, 17, 20, 0, 1};
  CHECK_EQUAL(checkProgram({one, last}, 2, {0, 0}), std::string());
}

TEST("sizes of messages are bounded") {
  CHECK_EQUAL(fault(netlink(15)),
              std::string("instruction 0: a netlink message of 15 bytes; 16 to 1048576 are possible"));
  CHECK(fault(netlink(kLargestMessage)).empty());
  CHECK(!fault(netlink(kLargestMessage + 1)).empty());
  CHECK(!fault(netlink(0)).empty());
}

TEST("relocations lie within the message, behind its header, and name a slot") {
  Instruction one = netlink(32);
  one.relocations = {{29, 0}};
  CHECK_EQUAL(fault(one), std::string("instruction 0: a relocation at byte 29 of 32"));
  one.relocations = {{0xfffffffe, 0}};
  CHECK(!fault(one).empty());
  one.relocations = {{12, 0}};
  CHECK(!fault(one).empty());
  one.relocations = {{28, 2}};
  CHECK_EQUAL(fault(one), std::string("instruction 0: there is no slot 2"));
}

TEST("slots are in range wherever they are named") {
  Instruction capture = netlink();
  capture.capture = Capture{2, 20, {}};
  CHECK(!fault(capture).empty());
  Instruction unless = netlink();
  unless.unlessSlot = 9;
  CHECK(!fault(unless).empty());
  Instruction when = netlink();
  when.ifSlot = 2;
  CHECK(!fault(when).empty());
  Instruction reap = netlink();
  reap.op = Op::reap;
  reap.notice = Notice{1, 17, 20, 0, 5};
  CHECK(!fault(reap).empty());
  Instruction guard = netlink();
  guard.unlessAny = Guard{Bytes(32), {{16, 7}}, {}};
  CHECK(!fault(guard).empty());
}

TEST("namespaces are in range") {
  Instruction one = netlink();
  one.netns = 2;
  CHECK_EQUAL(fault(one), std::string("instruction 0: there is no namespace 2"));
}

TEST("reap is the last, and never an undo; an undo has no undo") {
  Instruction reap = netlink();
  reap.op = Op::reap;
  CHECK_EQUAL(checkProgram({reap, netlink()}, 1, {}), std::string("instruction 0: reap must be the last"));
  Instruction one = netlink();
  one.hasUndo = true;
  one.undo = {reap};
  CHECK_EQUAL(fault(one), std::string("instruction 0, undo 0: reap cannot undo"));
  Instruction nested = netlink();
  nested.hasUndo = true;
  one.undo = {nested};
  CHECK_EQUAL(fault(one), std::string("instruction 0, undo 0: an undo has no undo of its own"));
}

TEST("faults of undo instructions are found as well") {
  Instruction one = netlink();
  one.hasUndo = true;
  one.undo = {netlink(), netlink(8)};
  CHECK(fault(one).find("instruction 0, undo 1: ") == 0);
}

TEST("sysctl paths stay below /proc/sys/net") {
  CHECK(isNetSysctl("/proc/sys/net/ipv6/conf/eth1/disable_ipv6"));
  CHECK(isNetSysctl("/proc/sys/net/ipv4/conf/a..b/arp_notify"));
  CHECK(!isNetSysctl("/proc/sys/kernel/core_pattern"));
  CHECK(!isNetSysctl("/proc/sys/net/../kernel/core_pattern"));
  CHECK(!isNetSysctl("/proc/sys/net/ipv4/.."));
  CHECK(!isNetSysctl("/proc/sys/network"));
  CHECK(!isNetSysctl("proc/sys/net/ipv4"));
  CHECK(!isNetSysctl(std::string("/proc/sys/net/a\0b", 17)));
  Instruction one;
  one.op = Op::sysctl;
  one.path = "/proc/sys/net/ipv4/../../kernel/core_pattern";
  one.data = "1";
  CHECK(!fault(one).empty());
  one.path = "/proc/sys/net/ipv4/ip_forward";
  CHECK(fault(one).empty());
  one.data.reset();
  CHECK(!fault(one).empty());
}

TEST("file paths are absolute") {
  Instruction one;
  one.op = Op::file;
  one.path = "run/pipework/x";
  CHECK(!fault(one).empty());
  one.path = "/run/pipework/x";
  CHECK(fault(one).empty());
}

TEST("programs and slots are bounded, undo counted in") {
  CHECK(checkProgram(Program(kMostInstructions, netlink(16)), 1, {}).empty());
  CHECK(!checkProgram(Program(kMostInstructions + 1, netlink(16)), 1, {}).empty());
  Instruction one = netlink(16);
  one.hasUndo = true;
  one.undo = Program(kMostInstructions, netlink(16));
  CHECK(!fault(one).empty());
  CHECK(!checkProgram({}, 1, Slots(kMostSlots + 1)).empty());
}

TEST("relocate writes the slots, and names the one that is empty") {
  Bytes message(24);
  CHECK_EQUAL(relocate(&message, {{16, 1}, {20, 0}}, {7, 0x01020304}), std::string());
  CHECK_EQUAL(loadU32(message.data() + 16), 0x01020304u);
  CHECK_EQUAL(loadU32(message.data() + 20), 7u);
  CHECK_EQUAL(relocate(&message, {{16, 2}}, {1, 2, 0}), std::string("slot 2 is empty"));
}

}  // namespace
