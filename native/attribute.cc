#include "attribute.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cstring>

namespace pw {

uint16_t loadU16(const uint8_t* at) {
  uint16_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

uint32_t loadU32(const uint8_t* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

void storeU32(uint8_t* at, uint32_t value) { std::memcpy(at, &value, sizeof value); }

namespace {

/** The last object may lack its padding. */
View behind(View all, size_t length) {
  const size_t step = std::min(alignTo4(length), all.size);
  return {all.data + step, all.size - step};
}

bool someAttribute(View attributes, const uint16_t* path, size_t depth, const Bytes& value) {
  AttributeWalk walk(attributes);
  Attribute attribute;
  // Every attribute of the number is tried: lists repeat theirs.
  while (walk.next(&attribute)) {
    if (attribute.number != path[0]) continue;
    if (depth > 1) {
      if (someAttribute(attribute.payload, path + 1, depth - 1, value)) return true;
    } else if (attribute.payload.size == value.size() &&
               std::equal(value.begin(), value.end(), attribute.payload.data)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool AttributeWalk::next(Attribute* attribute) {
  if (rest_.size < NLA_HDRLEN) return false;
  const size_t length = loadU16(rest_.data);
  if (length < NLA_HDRLEN || length > rest_.size) {
    rest_ = {};
    return false;
  }
  attribute->number = loadU16(rest_.data + 2) & NLA_TYPE_MASK;
  attribute->payload = {rest_.data + NLA_HDRLEN, length - NLA_HDRLEN};
  rest_ = behind(rest_, length);
  return true;
}

bool MessageWalk::next(View* message) {
  if (rest_.size < NLMSG_HDRLEN) return false;
  const size_t length = loadU32(rest_.data);
  if (length < NLMSG_HDRLEN || length > rest_.size) {
    rest_ = {};
    return false;
  }
  *message = {rest_.data, length};
  rest_ = behind(rest_, length);
  return true;
}

bool Match::holds(View message) const {
  const size_t start = NLMSG_HDRLEN + alignTo4(header);
  if (path.empty() || start > message.size) return false;
  return someAttribute({message.data + start, message.size - start}, path.data(), path.size(), value);
}

bool allHold(const std::vector<Match>& conditions, View message) {
  return std::all_of(conditions.begin(), conditions.end(), [&](const Match& match) { return match.holds(message); });
}

}  // namespace pw
