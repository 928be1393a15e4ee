#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include <cstring>
#include <string>

#include "attribute.h"

// Just enough of rtnetlink to give the tests something to do.

class LinkMessage {
 public:
  LinkMessage(uint16_t type, uint16_t flags) : bytes_(NLMSG_HDRLEN + sizeof(ifinfomsg)) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = flags;
    std::memcpy(bytes_.data(), &header, sizeof header);
  }
  size_t open(uint16_t number) {
    const size_t at = bytes_.size();
    bytes_.resize(at + NLA_HDRLEN);
    std::memcpy(bytes_.data() + at + 2, &number, sizeof number);
    return at;
  }
  void close(size_t at) {
    const auto length = static_cast<uint16_t>(bytes_.size() - at);
    std::memcpy(bytes_.data() + at, &length, sizeof length);
    bytes_.resize(pw::alignTo4(bytes_.size()));
  }
  LinkMessage& text(uint16_t number, const std::string& value) {
    const size_t at = open(number);
    bytes_.insert(bytes_.end(), value.c_str(), value.c_str() + value.size() + 1);
    close(at);
    return *this;
  }
  LinkMessage& header() {
    bytes_.resize(bytes_.size() + sizeof(ifinfomsg));
    return *this;
  }
  const pw::Bytes& bytes() const { return bytes_; }

 private:
  pw::Bytes bytes_;
};

/** Offset of ifi_index in a link message. */
constexpr uint32_t kIndexOffset = NLMSG_HDRLEN + 4;

inline pw::Bytes getLink(const std::string& name) {
  return LinkMessage(RTM_GETLINK, 0).text(IFLA_IFNAME, name).bytes();
}
inline pw::Bytes dumpLinks() { return LinkMessage(RTM_GETLINK, NLM_F_DUMP).bytes(); }
inline pw::Bytes deleteLink(const std::string& name) {
  return LinkMessage(RTM_DELLINK, 0).text(IFLA_IFNAME, name).bytes();
}

inline pw::Bytes newVeth(const std::string& name, const std::string& peer) {
  LinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.text(IFLA_IFNAME, name);
  const size_t info = message.open(IFLA_LINKINFO);
  message.text(IFLA_INFO_KIND, "veth");
  const size_t data = message.open(IFLA_INFO_DATA);
  const size_t nested = message.open(VETH_INFO_PEER);
  message.header().text(IFLA_IFNAME, peer);
  message.close(nested);
  message.close(data);
  message.close(info);
  return message.bytes();
}
