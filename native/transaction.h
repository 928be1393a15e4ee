#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "lock.h"
#include "netns.h"
#include "socket.h"

namespace pw {

/** What the namespace thread works with. Survives a thread that could not return home, except for `home`. */
struct Workplace {
  explicit Workplace(const Stop& stop) : stop(stop) {}

  const Stop& stop;
  Home home;
  ReceiveBuffer buffer;
  /** NETLINK_ROUTE in the home namespace, shared by all transactions: they take turns on the thread. */
  NetlinkSocket homeSocket;
};

/** null = home. Shared, so that a handle closed by its owner keeps its number while a job still uses it. */
using Namespaces = std::vector<std::shared_ptr<const Netns>>;

/** Sockets in each namespace and, with a lock, the only right to change them. Belongs to the namespace thread. */
class Transaction {
 public:
  Transaction(uint64_t id, int protocol, Namespaces namespaces);

  uint64_t id() const { return id_; }
  size_t namespaces() const { return namespaces_.size(); }
  const Netns* netns(size_t index) const { return namespaces_[index].get(); }
  int protocol() const { return protocol_; }

  Failure open(Workplace* workplace);

  /** A socket that the failure of an earlier request closed is opened anew. */
  Reply request(Workplace* workplace, size_t netns, Bytes* message);

  Lock lock;
  /** Its last instruction is with the reaper; until that ends it takes no other work. */
  bool reaping = false;

 private:
  NetlinkSocket* socketOf(Workplace* workplace, size_t netns);
  Failure ensureOpen(Workplace* workplace, size_t netns);

  uint64_t id_;
  int protocol_;
  Namespaces namespaces_;
  std::vector<NetlinkSocket> sockets_;
};

}  // namespace pw
