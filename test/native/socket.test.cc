#include "socket.h"

#include <sched.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <set>
#include <thread>

#include "check.h"
#include "netlink-messages.h"

using namespace pw;

namespace {

/** A namespace of its own for everything below; threads started later are in it too. */
const bool isolated = ::unshare(CLONE_NEWNET) == 0;

struct Route {
  NetlinkSocket socket;
  Stop stop;
  Route() {
    CHECK(isolated);
    CHECK(!NetlinkSocket::open(NETLINK_ROUTE, &socket));
  }
  Reply ask(Bytes message, ReceiveBuffer* buffer) { return socket.request(&message, buffer, stop); }
  Reply ask(Bytes message) {
    ReceiveBuffer buffer;
    return ask(std::move(message), &buffer);
  }
};

std::multiset<std::string> names(const Bytes& messages) {
  std::multiset<std::string> found;
  MessageWalk walk({messages.data(), messages.size()});
  View one;
  while (walk.next(&one)) {
    AttributeWalk attributes({one.data + 32, one.size - 32});
    Attribute attribute;
    while (attributes.next(&attribute)) {
      if (attribute.number == IFLA_IFNAME) found.insert(reinterpret_cast<const char*>(attribute.payload.data));
    }
  }
  return found;
}

TEST("an answer, an errno, and the kernel's own text with its place") {
  Route route;
  CHECK((names(route.ask(getLink("lo")).messages) == std::multiset<std::string>{"lo"}));
  const Reply absent = route.ask(getLink("nothing0"));
  CHECK_EQUAL(absent.error, ENODEV);
  CHECK_EQUAL(absent.syscall, std::string());
  LinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.text(IFLA_IFNAME, "a_name_of_more_than_fifteen_bytes");
  const Reply refused = route.ask(message.bytes());
  CHECK_EQUAL(refused.error, ERANGE);
  CHECK_EQUAL(refused.offset, int64_t{32});
  CHECK(!refused.text.empty());
}

TEST("two sockets of one process: neither takes its port for the process id") {
  Route first, second;
  CHECK(first.socket.port() != second.socket.port());
  CHECK_EQUAL(second.ask(getLink("lo")).error, 0);
  CHECK_EQUAL(first.ask(getLink("lo")).error, 0);
}

TEST("what another process sends to the port is not taken for the kernel's answer") {
  Route route, liar;
  struct {
    nlmsghdr header;
    nlmsgerr error;
  } lie{};
  lie.header.nlmsg_len = sizeof lie;
  lie.header.nlmsg_type = NLMSG_ERROR;
  lie.header.nlmsg_seq = 1;
  lie.header.nlmsg_pid = route.socket.port();
  lie.error.error = -EPERM;
  sockaddr_nl to{};
  to.nl_family = AF_NETLINK;
  to.nl_pid = route.socket.port();
  CHECK(::sendto(liar.socket.fd(), &lie, sizeof lie, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) ==
        static_cast<ssize_t>(sizeof lie));
  const Reply reply = route.ask(getLink("lo"));
  CHECK_EQUAL(reply.error, 0);
  CHECK((names(reply.messages) == std::multiset<std::string>{"lo"}));
}

TEST("the late answer to an earlier request is not taken for that to this one") {
  Route route;
  Bytes earlier = getLink("nothing0");
  storeU32(earlier.data(), static_cast<uint32_t>(earlier.size()));
  earlier[6] = NLM_F_REQUEST | NLM_F_ACK;
  storeU32(earlier.data() + 8, 12345);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  CHECK(::sendto(route.socket.fd(), earlier.data(), earlier.size(), 0, reinterpret_cast<sockaddr*>(&kernel),
                 sizeof kernel) == static_cast<ssize_t>(earlier.size()));
  const Reply reply = route.ask(getLink("lo"));
  CHECK_EQUAL(reply.error, 0);
  CHECK((names(reply.messages) == std::multiset<std::string>{"lo"}));
}

TEST("a dump that outgrows its buffer is repeated with a larger one, and is whole") {
  Route route;
  for (int i = 0; i < 20; i++)
    CHECK_EQUAL(route.ask(newVeth("a" + std::to_string(i), "b" + std::to_string(i))).error, 0);
  const auto all = names(route.ask(dumpLinks()).messages);
  CHECK_EQUAL(all.size(), size_t{41});
  for (const size_t size : {64, 512, 2000}) {
    ReceiveBuffer buffer(size);
    const Reply reply = route.ask(dumpLinks(), &buffer);
    CHECK_EQUAL(reply.error, 0);
    CHECK(names(reply.messages) == all);
    CHECK(buffer.size() > size);
  }
  // The socket is good for more: no dump was left unfinished.
  CHECK_EQUAL(route.ask(getLink("lo")).error, 0);
  for (int i = 0; i < 20; i++) CHECK_EQUAL(route.ask(deleteLink("a" + std::to_string(i))).error, 0);
}

TEST("an answer that is no dump and does not fit is an error: it might have been a change") {
  Route route;
  ReceiveBuffer buffer(512);
  const Reply reply = route.ask(getLink("lo"), &buffer);
  CHECK_EQUAL(reply.error, EMSGSIZE);
  CHECK_EQUAL(reply.syscall, std::string("recvmsg"));
  CHECK(!route.socket);
}

TEST("dumps while links come and go are whole, or say that they could not be") {
  Route route;
  for (int i = 0; i < 8; i++)
    CHECK_EQUAL(route.ask(newVeth("s" + std::to_string(i), "t" + std::to_string(i))).error, 0);
  std::atomic<bool> enough{false};
  std::thread churn([&enough] {
    Route other;
    for (int i = 0; i < 40; i++) {
      other.ask(newVeth("churn0", "churn1"));
      other.ask(deleteLink("churn0"));
    }
    enough = true;
  });
  int whole = 0;
  // Nearly every change falls into some dump: they follow each other without a pause, in small pieces (the kernel makes
  // them as large as the largest buffer that the socket was ever read with, so it takes a socket of its own).
  Route slow;
  while (!enough) {
    ReceiveBuffer buffer(4096);
    const Reply reply = slow.ask(dumpLinks(), &buffer);
    if (reply.error != 0) {
      CHECK_EQUAL(reply.error, EAGAIN);
      CHECK(reply.messages.empty() && !reply.text.empty());
      continue;
    }
    whole++;
    MessageWalk walk({reply.messages.data(), reply.messages.size()});
    View one;
    while (walk.next(&one)) CHECK((loadU16(one.data + 6) & NLM_F_DUMP_INTR) == 0);
    const auto found = names(reply.messages);
    for (int k = 0; k < 8; k++) {
      CHECK_EQUAL(found.count("s" + std::to_string(k)), size_t{1});
      CHECK_EQUAL(found.count("t" + std::to_string(k)), size_t{1});
    }
  }
  churn.join();
  CHECK(whole > 0);
  for (int i = 0; i < 8; i++) CHECK_EQUAL(route.ask(deleteLink("s" + std::to_string(i))).error, 0);
}

TEST("a full notice socket says so") {
  Route route, listener;
  CHECK(!listener.socket.subscribe(RTNLGRP_LINK));
  const int small = 1;
  CHECK(::setsockopt(listener.socket.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
  CHECK_EQUAL(route.ask(newVeth("n0", "n1")).error, 0);
  CHECK_EQUAL(route.ask(deleteLink("n0")).error, 0);
  ReceiveBuffer buffer;
  ssize_t length;
  do {
    length = listener.socket.receiveNotice(&buffer);
  } while (length > 0);
  CHECK_EQUAL(errno, ENOBUFS);
}

TEST("a request whose answer never comes ends when everything is to end") {
  // Nobody answers on NETLINK_USERSOCK group 0: the message is queued to port 0, that is nowhere.
  Route route;
  NetlinkSocket deaf;
  CHECK(!NetlinkSocket::open(NETLINK_USERSOCK, &deaf));
  Bytes message = getLink("lo");
  ReceiveBuffer buffer;
  const Reply reply = deaf.request(&message, &buffer, route.stop);
  CHECK_EQUAL(reply.syscall, std::string("sendto"));
  CHECK_EQUAL(reply.error, ECONNREFUSED);
}

}  // namespace
