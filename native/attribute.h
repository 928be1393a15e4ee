#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pw {

using Bytes = std::vector<uint8_t>;

/** A stretch of somebody else's bytes. */
struct View {
  const uint8_t* data = nullptr;
  size_t size = 0;

  bool contains(size_t offset, size_t length) const { return offset <= size && length <= size - offset; }
};

/** In the machine's byte order; the caller has checked the bounds. */
uint16_t loadU16(const uint8_t* at);
uint32_t loadU32(const uint8_t* at);
void storeU32(uint8_t* at, uint32_t value);

constexpr size_t alignTo4(size_t length) { return (length + 3) & ~static_cast<size_t>(3); }

/** One netlink attribute: its number without NLA_F_NESTED and NLA_F_NET_BYTEORDER, its payload without the padding. */
struct Attribute {
  uint16_t number = 0;
  View payload;
};

/** Walks attributes lying side by side. Stops for good at the first whose length does not fit. */
class AttributeWalk {
 public:
  explicit AttributeWalk(View attributes) : rest_(attributes) {}
  bool next(Attribute* attribute);

 private:
  View rest_;
};

/** Walks netlink messages lying back to back, likewise. A message includes its nlmsghdr. */
class MessageWalk {
 public:
  explicit MessageWalk(View messages) : rest_(messages) {}
  bool next(View* message);

 private:
  View rest_;
};

/** A condition: some attribute at `path`, walked from `header` bytes behind nlmsghdr, has exactly this value. */
struct Match {
  uint32_t header = 0;
  std::vector<uint16_t> path;
  Bytes value;

  bool holds(View message) const;
};

bool allHold(const std::vector<Match>& conditions, View message);

}  // namespace pw
