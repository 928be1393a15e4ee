#include "socket.h"

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

Reply waitFailure(Wake wake) {
  switch (wake) {
    case Wake::deadline: return transportFailure("recvmsg", ETIMEDOUT, "the kernel did not answer within 10 seconds");
    case Wake::stopped:
      return transportFailure("recvmsg", ECANCELED, "the kernel had not answered when the program was asked to end");
    default: return transportFailure("poll", errno, describe(errno));
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
    if (::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room) != 0)
      return failedCall("setsockopt", errno, "SO_RCVBUF");
  }
  if (::setsockopt(fd(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
    return failedCall("setsockopt", errno, "NETLINK_ADD_MEMBERSHIP");
  }
  return {};
}

Reply NetlinkSocket::request(Bytes* message, ReceiveBuffer* buffer, const Stop& stop) {
  for (int attempt = 1;; attempt++) {
    ReplyReader reader(++sequence_, port_);
    stamp(message, sequence_);
    once(*message, buffer, stop, &reader);
    if (!reader.reply.syscall.empty()) {
      close();
      return std::move(reader.reply);
    }
    if (reader.needed == 0 && !reader.interrupted) return std::move(reader.reply);
    if (reader.needed != 0 && (!reader.dump || !buffer->grow(reader.needed))) {
      close();
      return transportFailure("recvmsg", EMSGSIZE, "an answer of " + std::to_string(reader.needed) + " bytes was cut");
    }
    if (attempt >= kDumpAttempts) {
      Reply reply;
      reply.error = EAGAIN;
      reply.text = "the list changed while it was read, " + std::to_string(attempt) + " times in a row";
      return reply;
    }
  }
}

/** Sends and receives, once. A failure of the transport takes the place of the reply. */
void NetlinkSocket::once(const Bytes& message, ReceiveBuffer* buffer, const Stop& stop, ReplyReader* reader) {
  const auto deadline = Clock::now() + kRequestTime;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent;
  do {
    sent = ::sendto(fd(), message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&kernel), sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    reader->reply = transportFailure("sendto", errno, describe(errno));
    return;
  }
  for (;;) {
    // The kernel answers within sendto() nearly always; MSG_TRUNC makes it tell the true length.
    sockaddr_nl sender{};
    const ssize_t length = receive(buffer, &sender, MSG_TRUNC);
    if (length >= 0) {
      // Any process may send to a netlink port; the kernel's own is 0.
      const auto full = static_cast<size_t>(length);
      if (sender.nl_pid == 0 && reader->take({buffer->data(), std::min(full, buffer->size())}, full)) return;
      if (Clock::now() < deadline) continue;
      reader->reply = waitFailure(Wake::deadline);
      return;
    }
    // The next part of a dump is made by reading the one before: none means that the end was in what was cut off.
    if (errno == EAGAIN && reader->needed != 0) return;
    if (errno != EAGAIN) {
      // ENOBUFS on a request's socket: the answer was dropped.
      reader->reply = transportFailure("recvmsg", errno, describe(errno));
      return;
    }
    const Wake wake = waitReadable(fd(), stop, deadline, kStopGrace);
    if (wake != Wake::ready) {
      reader->reply = waitFailure(wake);
      return;
    }
  }
}

/** One datagram, without waiting; -1 with errno set. */
ssize_t NetlinkSocket::receive(ReceiveBuffer* buffer, sockaddr_nl* sender, int flags) {
  for (;;) {
    iovec space{buffer->data(), buffer->size()};
    msghdr envelope{};
    envelope.msg_name = sender;
    envelope.msg_namelen = sizeof *sender;
    envelope.msg_iov = &space;
    envelope.msg_iovlen = 1;
    const ssize_t length = ::recvmsg(fd(), &envelope, MSG_DONTWAIT | flags);
    if (length >= 0 || errno != EINTR) return length;
  }
}

ssize_t NetlinkSocket::receiveNotice(ReceiveBuffer* buffer) {
  for (;;) {
    sockaddr_nl sender{};
    const ssize_t length = receive(buffer, &sender, 0);
    if (length < 0 || sender.nl_pid == 0) return length;
  }
}

}  // namespace pw
