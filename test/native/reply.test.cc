#include "reply.h"

#include <linux/netlink.h>

#include <cerrno>
#include <cstring>

#include "check.h"

using namespace pw;

namespace {

constexpr uint32_t kSequence = 7;
constexpr uint32_t kPort = 4000;

Bytes message(uint16_t type, uint16_t flags, const Bytes& payload = {}, uint32_t sequence = kSequence,
              uint32_t port = kPort) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<uint32_t>(sizeof header + payload.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  header.nlmsg_pid = port;
  Bytes bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  bytes.resize(alignTo4(bytes.size()));
  return bytes;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Bytes kNoError(20);
const Bytes kEnd = message(NLMSG_DONE, NLM_F_MULTI, Bytes(4));

struct Reading {
  ReplyReader reader{kSequence, kPort};
  bool take(const Bytes& datagram) { return reader.take({datagram.data(), datagram.size()}, datagram.size()); }
};

TEST("messages are gathered until the ack, or the end of the dump") {
  Reading plain;
  CHECK(!plain.take(message(16, 0, {1, 2, 3})));
  CHECK(plain.take(message(NLMSG_ERROR, NLM_F_CAPPED, kNoError)));
  CHECK_EQUAL(plain.reader.reply.messages.size(), size_t{20});
  Reading dump;
  CHECK(!dump.take(message(16, NLM_F_MULTI) + message(16, NLM_F_MULTI)));
  CHECK(dump.take(message(16, NLM_F_MULTI) + kEnd));
  CHECK_EQUAL(dump.reader.reply.messages.size(), size_t{48});
  CHECK(!dump.reader.interrupted && dump.reader.needed == 0);
}

TEST("of another sequence or port: not ours") {
  Reading reading;
  CHECK(!reading.take(message(NLMSG_ERROR, 0, kNoError, kSequence - 1)));
  CHECK(!reading.take(message(NLMSG_ERROR, 0, kNoError, kSequence, kPort + 1)));
  CHECK(!reading.take(message(16, 0, {}, 0) + message(NLMSG_NOOP, 0)));
  CHECK(reading.reader.reply.messages.empty());
  CHECK(reading.take(message(NLMSG_ERROR, 0, kNoError)));
}

TEST("an interrupted dump is noticed by any of its messages, the last as well") {
  const Bytes flagged = message(16, NLM_F_MULTI | NLM_F_DUMP_INTR);
  const Bytes plain = message(16, NLM_F_MULTI);
  const Bytes lists[] = {flagged + plain + kEnd, plain + flagged + kEnd,
                         plain + message(NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR, Bytes(4))};
  for (const Bytes& list : lists) {
    Reading reading;
    CHECK(reading.take(list));
    CHECK(reading.reader.interrupted);
  }
  // Somebody else's list.
  Reading other;
  CHECK(other.take(message(16, NLM_F_MULTI | NLM_F_DUMP_INTR, {}, kSequence + 1) + kEnd));
  CHECK(!other.reader.interrupted);
}

TEST("a datagram that was cut is read as far as it goes; the longest tells what is needed") {
  Reading reading;
  const Bytes whole = message(16, NLM_F_MULTI) + message(16, NLM_F_MULTI, Bytes(100));
  CHECK(!reading.reader.take({whole.data(), 60}, whole.size()));
  CHECK_EQUAL(reading.reader.needed, whole.size());
  CHECK(reading.reader.dump);
  CHECK(!reading.reader.take({whole.data(), 8}, 50));
  CHECK_EQUAL(reading.reader.needed, whole.size());
  CHECK(reading.take(kEnd));
  Reading single;
  const Bytes answer = message(16, 0, Bytes(100));
  CHECK(!single.reader.take({answer.data(), 60}, answer.size()));
  CHECK(!single.reader.dump);
}

TEST("an overrun is a failure of the transport") {
  Reading reading;
  CHECK(reading.take(message(NLMSG_OVERRUN, 0)));
  CHECK_EQUAL(reading.reader.reply.error, ENOBUFS);
  CHECK_EQUAL(reading.reader.reply.syscall, std::string("recvmsg"));
}

// Acks made by hand.

Bytes ack(uint16_t type, uint16_t flags, int32_t error, const Bytes& rest) {
  Bytes bytes(20);
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  nlmsghdr header{};
  header.nlmsg_len = static_cast<uint32_t>(bytes.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + 16, &error, sizeof error);
  return bytes;
}

Bytes texts(const std::string& message, uint32_t offset) {
  Bytes bytes(4);
  bytes[0] = static_cast<uint8_t>(4 + message.size() + 1);
  bytes[2] = NLMSGERR_ATTR_MSG;
  bytes.insert(bytes.end(), message.c_str(), message.c_str() + message.size() + 1);
  bytes.resize(alignTo4(bytes.size()));
  const Bytes place{8, 0, NLMSGERR_ATTR_OFFS, 0, static_cast<uint8_t>(offset), 0, 0, 0};
  bytes.insert(bytes.end(), place.begin(), place.end());
  return bytes;
}

Reply read(const Bytes& bytes) {
  Reply reply;
  readAck({bytes.data(), bytes.size()}, &reply);
  return reply;
}

TEST("acks: capped, with the request echoed, and at the end of a dump") {
  Bytes capped(16);
  const Bytes text = texts("no such thing", 36);
  capped.insert(capped.end(), text.begin(), text.end());
  Reply reply = read(ack(NLMSG_ERROR, NLM_F_ACK_TLVS | NLM_F_CAPPED, -EINVAL, capped));
  CHECK_EQUAL(reply.error, EINVAL);
  CHECK_EQUAL(reply.text, std::string("no such thing"));
  CHECK_EQUAL(reply.offset, int64_t{36});

  Bytes echoed(16);
  storeU32(echoed.data(), 16 + 6);
  echoed.resize(16 + 8);
  echoed.insert(echoed.end(), text.begin(), text.end());
  reply = read(ack(NLMSG_ERROR, NLM_F_ACK_TLVS, -EEXIST, echoed));
  CHECK_EQUAL(reply.error, EEXIST);
  CHECK_EQUAL(reply.text, std::string("no such thing"));

  reply = read(ack(NLMSG_DONE, NLM_F_ACK_TLVS, -EPERM, text));
  CHECK_EQUAL(reply.error, EPERM);
  CHECK_EQUAL(reply.text, std::string("no such thing"));

  CHECK_EQUAL(read(ack(NLMSG_DONE, 0, 312, {})).error, 0);
  CHECK_EQUAL(read(ack(NLMSG_ERROR, 0, 0, Bytes(16))).error, 0);
}

TEST("acks that lie about their lengths are read within their bounds") {
  Bytes echoed(16);
  storeU32(echoed.data(), 0xffffffff);
  CHECK_EQUAL(read(ack(NLMSG_ERROR, NLM_F_ACK_TLVS, -EINVAL, echoed)).error, EINVAL);
  CHECK_EQUAL(read(ack(NLMSG_ERROR, NLM_F_ACK_TLVS, -EINVAL, {})).text, std::string());
  CHECK_EQUAL(read(Bytes(18)).error, 0);
  // A text without its zero.
  Bytes open(16);
  const Bytes attribute{8, 0, NLMSGERR_ATTR_MSG, 0, 'a', 'b', 'c', 'd'};
  open.insert(open.end(), attribute.begin(), attribute.end());
  CHECK_EQUAL(read(ack(NLMSG_ERROR, NLM_F_ACK_TLVS | NLM_F_CAPPED, -EINVAL, open)).text, std::string("abcd"));
}

}  // namespace
