#include "attribute.h"

#include <random>

#include "check.h"

using namespace pw;

namespace {

void put16(Bytes* bytes, uint16_t value) {
  bytes->push_back(static_cast<uint8_t>(value));
  bytes->push_back(static_cast<uint8_t>(value >> 8));
}

/** An attribute with its padding. */
Bytes attribute(uint16_t type, const Bytes& payload) {
  Bytes bytes;
  put16(&bytes, static_cast<uint16_t>(4 + payload.size()));
  put16(&bytes, type);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  bytes.resize(alignTo4(bytes.size()));
  return bytes;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes message(uint16_t type, const Bytes& payload) {
  Bytes bytes(16);
  storeU32(bytes.data(), static_cast<uint32_t>(16 + payload.size()));
  bytes[4] = static_cast<uint8_t>(type);
  return bytes + payload;
}

/** On the heap at its exact size, so that the address sanitizer sees one byte too far. */
View view(const Bytes& bytes) { return {bytes.data(), bytes.size()}; }

std::vector<uint16_t> numbers(const Bytes& bytes) {
  std::vector<uint16_t> found;
  AttributeWalk walk(view(bytes));
  Attribute one;
  while (walk.next(&one)) found.push_back(one.number);
  return found;
}

TEST("walks attributes, padded or, at the end, not") {
  Bytes bytes = attribute(1, {1}) + attribute(2, {1, 2, 3, 4}) + attribute(3, {1, 2});
  CHECK((numbers(bytes) == std::vector<uint16_t>{1, 2, 3}));
  bytes.resize(bytes.size() - 2);
  CHECK((numbers(bytes) == std::vector<uint16_t>{1, 2, 3}));
}

TEST("masks the flags of nested and byte order") {
  CHECK((numbers(attribute(0x8000 | 18, {}) + attribute(0x4000 | 5, {1})) == std::vector<uint16_t>{18, 5}));
}

TEST("stops at a length that is too small, or too large") {
  Bytes small = attribute(1, {1, 2, 3, 4}) + Bytes{3, 0, 9, 0, 0, 0, 0, 0} + attribute(2, {});
  CHECK((numbers(small) == std::vector<uint16_t>{1}));
  Bytes zero = attribute(1, {}) + Bytes{0, 0, 9, 0};
  CHECK((numbers(zero) == std::vector<uint16_t>{1}));
  Bytes large = attribute(1, {}) + Bytes{9, 0, 2, 0, 1, 2, 3, 4};
  CHECK((numbers(large) == std::vector<uint16_t>{1}));
  CHECK(numbers({}).empty());
  CHECK(numbers({4, 0, 1}).empty());
}

TEST("walks messages and stops at a length that does not fit") {
  const Bytes bytes = message(16, {1, 2, 3, 4}) + message(17, {}) + Bytes(15);
  MessageWalk walk(view(bytes));
  View one;
  CHECK(walk.next(&one));
  CHECK_EQUAL(one.size, size_t{20});
  CHECK(walk.next(&one));
  CHECK_EQUAL(one.size, size_t{16});
  CHECK(!walk.next(&one));
  Bytes cut = message(16, {1, 2, 3, 4});
  cut.pop_back();
  MessageWalk short_(view(cut));
  CHECK(!short_.next(&one));
  CHECK(!short_.next(&one));
}

TEST("matches a value at a path, behind a header") {
  const Bytes nested = attribute(1, {'v', 'e', 't', 'h', 0});
  const Bytes all = message(16, Bytes(16) + attribute(27, {7, 0, 0, 0}) + attribute(0x8000 | 18, nested));
  CHECK((Match{16, {27}, {7, 0, 0, 0}}.holds(view(all))));
  CHECK((Match{16, {18, 1}, {'v', 'e', 't', 'h', 0}}.holds(view(all))));
  CHECK((!Match{16, {27}, {8, 0, 0, 0}}.holds(view(all))));
  CHECK((!Match{16, {27}, {7, 0, 0}}.holds(view(all))));
  CHECK((!Match{16, {18, 2}, {'v', 'e', 't', 'h', 0}}.holds(view(all))));
  CHECK((!Match{16, {}, {}}.holds(view(all))));
  CHECK((!Match{0xffffffff, {27}, {7, 0, 0, 0}}.holds(view(all))));
}

TEST("matches any of several attributes of one number") {
  const Bytes all = message(16, attribute(53, {1}) + attribute(53, {2}) + attribute(53, {3}));
  CHECK((Match{0, {53}, {3}}.holds(view(all))));
  CHECK((!Match{0, {53}, {4}}.holds(view(all))));
}

TEST("a header that is not a multiple of four is padded") {
  const Bytes all = message(16, Bytes(8) + attribute(3, {1}));
  CHECK((Match{5, {3}, {1}}.holds(view(all))));
}

TEST("no condition holds for every message, several for those that meet all") {
  const Bytes all = message(16, attribute(3, {1}) + attribute(4, {2}));
  CHECK(allHold({}, view(all)));
  CHECK(allHold({{0, {3}, {1}}, {0, {4}, {2}}}, view(all)));
  CHECK(!allHold({{0, {3}, {1}}, {0, {4}, {3}}}, view(all)));
}

TEST("random bytes are read within their bounds") {
  std::mt19937 random(1);
  size_t attributes = 0;
  for (int i = 0; i < 20000; i++) {
    Bytes bytes(random() % 96);
    // Mostly what attributes are made of, so that the walk gets far; now and then anything.
    for (size_t k = 0; k < bytes.size(); k++) bytes[k] = static_cast<uint8_t>(k % 2 != 0 ? 0 : random() % 14);
    if (random() % 2 == 0 && !bytes.empty()) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    const Bytes exact(bytes);
    attributes += numbers(exact).size();
    Match{static_cast<uint32_t>(random() % 20),
          {static_cast<uint16_t>(random() % 12), static_cast<uint16_t>(random() % 12)},
          {1}}
        .holds(view(exact));
    MessageWalk walk(view(exact));
    View one;
    while (walk.next(&one)) CHECK(one.size >= 16 && one.data + one.size <= exact.data() + exact.size());
  }
  CHECK(attributes > 1000);
}

}  // namespace
