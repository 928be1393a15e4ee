#include "expectation.h"

namespace pw {

bool Expectation::holds(int answered, View replies) const {
  if (answered != error) return false;
  if (error != 0) return true;
  MessageWalk walk(replies);
  View message;
  bool first = true;
  while (walk.next(&message)) {
    if (none && message.contains(none->offset, 1) && message.data[none->offset] == none->value) return false;
    if (first) {
      for (const MaskedWord& word : words) {
        if (!message.contains(word.offset, 4) || (loadU32(message.data + word.offset) & word.mask) != word.value)
          return false;
      }
      if (!allHold(where, message)) return false;
    }
    first = false;
  }
  return !first || (words.empty() && where.empty());
}

}  // namespace pw
