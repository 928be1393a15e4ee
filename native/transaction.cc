#include "transaction.h"

#include <linux/netlink.h>

#include <utility>

namespace pw {

Transaction::Transaction(uint64_t id, int protocol, Namespaces namespaces)
    : id_(id), protocol_(protocol), namespaces_(std::move(namespaces)), sockets_(namespaces_.size()) {}

NetlinkSocket* Transaction::socketOf(Workplace* workplace, size_t netns) {
  const bool shared = namespaces_[netns] == nullptr && protocol_ == NETLINK_ROUTE;
  return shared ? &workplace->homeSocket : &sockets_[netns];
}

Failure Transaction::ensureOpen(Workplace* workplace, size_t netns) {
  NetlinkSocket* socket = socketOf(workplace, netns);
  if (*socket) return {};
  return workplace->home.visit(namespaces_[netns].get(), [&] { return NetlinkSocket::open(protocol_, socket); });
}

Failure Transaction::open(Workplace* workplace) {
  for (size_t netns = 0; netns < namespaces_.size(); netns++) {
    if (Failure failure = ensureOpen(workplace, netns)) return failure;
  }
  return {};
}

Reply Transaction::request(Workplace* workplace, size_t netns, Bytes* message) {
  if (Failure failure = ensureOpen(workplace, netns)) {
    Reply reply;
    reply.error = failure.error;
    reply.syscall = failure.syscall;
    reply.text = failure.text;
    return reply;
  }
  return socketOf(workplace, netns)->request(message, &workplace->buffer, workplace->stop);
}

}  // namespace pw
