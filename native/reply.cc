#include "reply.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace pw {
namespace {

/** What a hostile guest can make a dump of its own routes hold up, with the lock held: a third of a second. */
constexpr size_t kMostReplies = 32u << 20;

}  // namespace

Reply transportFailure(const char* syscall, int error, std::string text) {
  Reply reply;
  reply.error = error;
  reply.syscall = syscall;
  reply.text = std::move(text);
  return reply;
}

bool ReplyReader::take(View received, size_t length) {
  if (length > received.size) {
    // Read on to the end all the same: a dump that is not finished would answer the next request with EBUSY.
    needed = std::max(needed, length);
    if (received.size >= NLMSG_HDRLEN) dump = (loadU16(received.data + 6) & NLM_F_MULTI) != 0;
  }
  MessageWalk walk(received);
  View one;
  while (walk.next(&one)) {
    nlmsghdr header;
    std::memcpy(&header, one.data, sizeof header);
    if (header.nlmsg_seq != sequence_ || header.nlmsg_pid != port_) continue;
    // Looked for on every message: it may be on the last alone.
    if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted = true;
    switch (header.nlmsg_type) {
      case NLMSG_NOOP: break;
      case NLMSG_OVERRUN:
        reply = transportFailure("recvmsg", ENOBUFS, "the kernel dropped a part of its answer");
        return true;
      case NLMSG_DONE:
      case NLMSG_ERROR: readAck(one, &reply); return true;
      default:
        if (reply.messages.size() > kMostReplies) {
          reply = transportFailure("recvmsg", EMSGSIZE, "the answer is longer than 32 MB");
          return true;
        }
        reply.messages.insert(reply.messages.end(), one.data, one.data + one.size);
        reply.messages.resize(alignTo4(reply.messages.size()));
    }
  }
  return false;
}

void readAck(View message, Reply* reply) {
  constexpr size_t kErrorEnd = NLMSG_HDRLEN + sizeof(int32_t);
  if (message.size < kErrorEnd) return;
  const uint16_t type = loadU16(message.data + 4);
  const uint16_t flags = loadU16(message.data + 6);
  // The kernel's numbers are negative; a positive one (the length some dumps end with) is no error.
  const int32_t code = static_cast<int32_t>(loadU32(message.data + NLMSG_HDRLEN));
  reply->error = code < 0 ? -code : 0;
  if ((flags & NLM_F_ACK_TLVS) == 0) return;
  size_t start = kErrorEnd;
  if (type == NLMSG_ERROR) {
    start += NLMSG_HDRLEN;
    if ((flags & NLM_F_CAPPED) == 0 && message.size >= start) {
      const size_t echoed = loadU32(message.data + kErrorEnd);
      if (echoed >= NLMSG_HDRLEN) start += alignTo4(echoed - NLMSG_HDRLEN);
    }
  }
  if (start > message.size) return;
  AttributeWalk walk({message.data + start, message.size - start});
  Attribute attribute;
  while (walk.next(&attribute)) {
    const View& payload = attribute.payload;
    if (attribute.number == NLMSGERR_ATTR_MSG) {
      const char* text = reinterpret_cast<const char*>(payload.data);
      reply->text.assign(text, strnlen(text, payload.size));
    } else if (attribute.number == NLMSGERR_ATTR_OFFS && payload.size >= 4) {
      reply->offset = loadU32(payload.data);
    }
  }
}

}  // namespace pw
