#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "attribute.h"

namespace pw {

/** What a caller guesses an answer to be; src/kernel/native.ts says what each field means. */
struct Expectation {
  struct MaskedWord {
    uint32_t offset = 0;
    uint32_t mask = 0;
    uint32_t value = 0;
  };
  struct Byte {
    uint32_t offset = 0;
    uint8_t value = 0;
  };

  int error = 0;
  std::vector<MaskedWord> words;
  std::vector<Match> where;
  std::optional<Byte> none;

  bool holds(int answered, View replies) const;
};

}  // namespace pw
