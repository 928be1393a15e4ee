#include "socket.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pw {
namespace {

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK 12
#endif

/** A busy host interrupts dumps; one that is interrupted this often is not going to be whole soon. */
constexpr int kDumpAttempts = 16;

Reply transportFailure(const char* syscall, int error, std::string text) {
  Reply reply;
  reply.error = error;
  reply.syscall = syscall;
  reply.text = std::move(text);
  return reply;
}

Reply waitFailure(Wake wake) {
  switch (wake) {
    case Wake::deadline:
      return transportFailure("recvmsg", ETIMEDOUT, "the kernel did not answer within 10 seconds");
    case Wake::stopped:
      return transportFailure("recvmsg", ECANCELED, "the kernel had not answered when the program was asked to end");
    default:
      return transportFailure("poll", errno, describe(errno));
  }
}

void stamp(Bytes* message, uint32_t sequence) {
  nlmsghdr header;
  std::memcpy(&header, message->data(), sizeof header);
  header.nlmsg_len = static_cast<uint32_t>(message->size());
  header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
  header.nlmsg_seq = sequence;
  header.nlmsg_pid = 0;
  std::memcpy(message->data(), &header, sizeof header);
}

}  // namespace

bool ReceiveBuffer::grow(size_t needed) {
  if (needed <= size_) return true;
  if (needed > kLargest) return false;
  size_t size = size_;
  while (size < needed) size *= 2;
  delete[] bytes_;
  bytes_ = new uint8_t[size];
  size_ = size;
  return true;
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

Failure NetlinkSocket::open(int protocol, NetlinkSocket* socket) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd) return failedCall("socket", errno, "(AF_NETLINK)");
  // Wanted, not needed: the texts of errors, short acks, dumps that honour their filters. Old kernels lack some.
  const int on = 1;
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    if (::setsockopt(fd.get(), SOL_NETLINK, option, &on, sizeof on) != 0) continue;
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return failedCall("bind", errno, "(AF_NETLINK)");
  }
  // The kernel chooses the port; it is the process id for the first socket of a process only.
  socklen_t length = sizeof address;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return failedCall("getsockname", errno);
  }
  socket->fd_ = std::move(fd);
  socket->port_ = address.nl_pid;
  return {};
}

Failure NetlinkSocket::subscribe(uint32_t group) {
  // FORCE is not held to rmem_max, but needs CAP_NET_ADMIN in the initial user namespace.
  const int room = 1 << 20;
  if (::setsockopt(fd(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0) {
    if (::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room) != 0) return failedCall("setsockopt", errno, "SO_RCVBUF");
  }
  if (::setsockopt(fd(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
    return failedCall("setsockopt", errno, "NETLINK_ADD_MEMBERSHIP");
  }
  return {};
}

/** What one sending of a request found wrong with its answer, though it ended well. */
struct NetlinkSocket::Round {
  bool interrupted = false;
  /** What did not fit belonged to a dump, which is harmless to repeat. */
  bool dump = false;
  /** Length of the largest datagram that did not fit; 0: all did. */
  size_t needed = 0;
};

Reply NetlinkSocket::request(Bytes* message, ReceiveBuffer* buffer, const Stop& stop) {
  for (int attempt = 1;; attempt++) {
    Round round;
    Reply reply = once(message, buffer, stop, &round);
    if (!reply.syscall.empty()) {
      close();
      return reply;
    }
    if (round.needed == 0 && !round.interrupted) return reply;
    if (round.needed != 0 && (!round.dump || !buffer->grow(round.needed))) {
      close();
      return transportFailure("recvmsg", EMSGSIZE, "an answer of " + std::to_string(round.needed) + " bytes was cut");
    }
    if (attempt >= kDumpAttempts) {
      reply = Reply{};
      reply.error = EAGAIN;
      reply.text = "the list changed while it was read, " + std::to_string(attempt) + " times in a row";
      return reply;
    }
  }
}

Reply NetlinkSocket::once(Bytes* message, ReceiveBuffer* buffer, const Stop& stop, Round* round) {
  const auto deadline = Clock::now() + kRequestTime;
  const uint32_t sequence = ++sequence_;
  stamp(message, sequence);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent;
  do {
    sent = ::sendto(fd(), message->data(), message->size(), 0, reinterpret_cast<sockaddr*>(&kernel), sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return transportFailure("sendto", errno, describe(errno));

  Reply reply;
  for (;;) {
    sockaddr_nl sender{};
    iovec space{buffer->data(), buffer->size()};
    msghdr envelope{};
    envelope.msg_name = &sender;
    envelope.msg_namelen = sizeof sender;
    envelope.msg_iov = &space;
    envelope.msg_iovlen = 1;
    // The kernel answers within sendto() nearly always; MSG_TRUNC makes it tell the true length.
    const ssize_t length = ::recvmsg(fd(), &envelope, MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0) {
      if (errno == EINTR) continue;
      // The next part of a dump is made by reading the one before: none means that the end was in what was cut off.
      if (errno == EAGAIN && round->needed != 0) return reply;
      // ENOBUFS on a request's socket: the answer was dropped.
      if (errno != EAGAIN && errno != EWOULDBLOCK) return transportFailure("recvmsg", errno, describe(errno));
      const Wake wake = waitReadable(fd(), stop, deadline, kStopGrace);
      if (wake != Wake::ready) return waitFailure(wake);
      continue;
    }
    if (Clock::now() >= deadline) return waitFailure(Wake::deadline);
    // Any process may send to a netlink port; the kernel's own is 0.
    if (sender.nl_pid != 0) continue;
    View received{buffer->data(), static_cast<size_t>(length)};
    if (received.size > buffer->size()) {
      // Read on to the end all the same: a dump that is not finished would answer the next request with EBUSY.
      round->needed = std::max(round->needed, received.size);
      received.size = buffer->size();
      nlmsghdr first;
      std::memcpy(&first, received.data, sizeof first);
      round->dump = (first.nlmsg_flags & NLM_F_MULTI) != 0;
    }
    MessageWalk walk(received);
    View one;
    while (walk.next(&one)) {
      nlmsghdr header;
      std::memcpy(&header, one.data, sizeof header);
      if (header.nlmsg_seq != sequence || header.nlmsg_pid != port_) continue;
      if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) round->interrupted = true;
      switch (header.nlmsg_type) {
        case NLMSG_NOOP:
          break;
        case NLMSG_OVERRUN:
          return transportFailure("recvmsg", ENOBUFS, "the kernel dropped a part of its answer");
        case NLMSG_DONE:
        case NLMSG_ERROR:
          readAck(one, &reply);
          return reply;
        default:
          reply.messages.insert(reply.messages.end(), one.data, one.data + one.size);
          reply.messages.resize(alignTo4(reply.messages.size()));
      }
    }
  }
}

ssize_t NetlinkSocket::receiveNotice(ReceiveBuffer* buffer) {
  for (;;) {
    sockaddr_nl sender{};
    iovec space{buffer->data(), buffer->size()};
    msghdr envelope{};
    envelope.msg_name = &sender;
    envelope.msg_namelen = sizeof sender;
    envelope.msg_iov = &space;
    envelope.msg_iovlen = 1;
    const ssize_t length = ::recvmsg(fd(), &envelope, MSG_DONTWAIT);
    if (length < 0 && errno == EINTR) continue;
    if (length >= 0 && sender.nl_pid != 0) continue;
    return length;
  }
}

}  // namespace pw
