#pragma once

#include <cstdint>
#include <string>

#include "attribute.h"

namespace pw {

/** The end of one request. */
struct Reply {
  /** 0, or a positive errno: the kernel's, or, with `syscall`, that of the transport. */
  int error = 0;
  /** Extended ack; with an error of 0 it is a warning. For the transport: our words. */
  std::string text;
  /** Byte of the request that the kernel points at; -1: none. */
  int64_t offset = -1;
  /** Set when no answer was had; "sendto" when the request did not leave either. */
  std::string syscall;
  /** Whole messages back to back, each padded to 4 bytes. */
  Bytes messages;
};

Reply transportFailure(const char* syscall, int error, std::string text);

/** Puts the answer to one request together from the datagrams that the kernel sent to its port. */
class ReplyReader {
 public:
  ReplyReader(uint32_t sequence, uint32_t port) : sequence_(sequence), port_(port) {}

  /** True when that was the end. `length` is the datagram's own, which may be more than `received` holds of it. */
  bool take(View received, size_t length);

  Reply reply;
  /** The list changed while it was dumped: entries may be missing, or be there twice. */
  bool interrupted = false;
  /** Length of the largest datagram that did not fit; 0: all did. */
  size_t needed = 0;
  /** What did not fit belonged to a dump, which is harmless to repeat. */
  bool dump = false;

 private:
  uint32_t sequence_;
  uint32_t port_;
};

/** Reads error, text and offset out of an NLMSG_ERROR, or out of an NLMSG_DONE that may carry an error as well. */
void readAck(View message, Reply* reply);

}  // namespace pw
