#pragma once

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cstdint>

#include "attribute.h"
#include "failure.h"
#include "fd.h"
#include "reply.h"
#include "stop.h"

namespace pw {

/** How long one request may take, its answer included. The kernel may hold the RTNL lock for seconds. */
constexpr std::chrono::seconds kRequestTime{10};
/** What is left of it once everything is to end. */
constexpr std::chrono::seconds kStopGrace{1};

/**
 * Where messages are received. Large enough for any one message known (a NIC with hundreds of virtual functions has
 * 100 kB), and grown when one is larger. Memory of pages that nothing was received into is never touched.
 */
class ReceiveBuffer {
 public:
  static constexpr size_t kUsual = 4u << 20;
  static constexpr size_t kLargest = 256u << 20;

  explicit ReceiveBuffer(size_t size = kUsual) : size_(size), bytes_(new uint8_t[size]) {}
  ~ReceiveBuffer() { delete[] bytes_; }
  ReceiveBuffer(const ReceiveBuffer&) = delete;
  ReceiveBuffer& operator=(const ReceiveBuffer&) = delete;

  uint8_t* data() { return bytes_; }
  size_t size() const { return size_; }
  /** False when `needed` is beyond reason. The content is lost. */
  bool grow(size_t needed);

 private:
  size_t size_;
  uint8_t* bytes_;
};

/** A netlink socket of one namespace: that of the thread which opened it, for good. Used by one thread at a time. */
class NetlinkSocket {
 public:
  /** In the calling thread's namespace. */
  static Failure open(int protocol, NetlinkSocket* socket);

  explicit operator bool() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }
  uint32_t port() const { return port_; }
  void close() { fd_.reset(); }

  /** Joins a multicast group, with room for a burst of notices. */
  Failure subscribe(uint32_t group);

  /**
   * Sends one message (stamping length, sequence, and the request and ack flags into it) and reads to its ack or the
   * end of its dump. An interrupted dump, or one that outgrew the buffer, is repeated. After a failure of the transport
   * the socket may still receive the late answer: it is closed, to be opened anew.
   */
  Reply request(Bytes* message, ReceiveBuffer* buffer, const Stop& stop);

  /** One datagram of a subscription, without waiting. -1 with errno set: EAGAIN, ENOBUFS (notices were lost), ... */
  ssize_t receiveNotice(ReceiveBuffer* buffer);

 private:
  void once(const Bytes& message, ReceiveBuffer* buffer, const Stop& stop, ReplyReader* reader);
  ssize_t receive(ReceiveBuffer* buffer, sockaddr_nl* sender, int flags);

  Fd fd_;
  uint32_t port_ = 0;
  uint32_t sequence_ = 0;
};

}  // namespace pw
