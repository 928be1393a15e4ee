#include "keep.h"

#include <algorithm>

namespace pw {

bool Keep::holds(View message) const {
  if (!message.contains(offset, 1)) return false;
  return std::find(values.begin(), values.end(), message.data[offset]) != values.end();
}

Bytes kept(const Keep& keep, const Bytes& messages) {
  Bytes result;
  MessageWalk walk({messages.data(), messages.size()});
  View message;
  while (walk.next(&message)) {
    if (!keep.holds(message)) continue;
    result.insert(result.end(), message.data, message.data + message.size);
    result.resize(alignTo4(result.size()));
  }
  return result;
}

}  // namespace pw
