#pragma once

#include <cstdint>

#include "attribute.h"

namespace pw {

/** Of many messages only those that have one of these values at that byte are of interest. */
struct Keep {
  uint32_t offset = 0;
  Bytes values;

  bool holds(View message) const;
};

/** Those of the messages, each padded to 4 bytes. */
Bytes kept(const Keep& keep, const Bytes& messages);

}  // namespace pw
