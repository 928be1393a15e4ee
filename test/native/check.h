#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

// The least of a test framework: TEST registers, CHECK goes on after a failure, main() runs all and counts.

struct Test {
  const char* name;
  std::function<void()> body;
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

inline int& failures() {
  static int count = 0;
  return count;
}

struct Registration {
  Registration(const char* name, std::function<void()> body) { tests().push_back({name, std::move(body)}); }
};

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define TEST(name)                                                                      \
  static void JOIN(test_, __LINE__)();                                                  \
  static const Registration JOIN(registration_, __LINE__)(name, JOIN(test_, __LINE__)); \
  static void JOIN(test_, __LINE__)()

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      std::printf("    %s:%d: %s\n", __FILE__, __LINE__, #condition); \
      failures()++;                                                   \
    }                                                                 \
  } while (0)

#define CHECK_EQUAL(actual, expected)                                                             \
  do {                                                                                            \
    const auto is = (actual);                                                                     \
    const auto wanted = (expected);                                                               \
    if (!(is == wanted)) {                                                                        \
      std::printf("    %s:%d: %s is %s, not %s\n", __FILE__, __LINE__, #actual, show(is).c_str(), \
                  show(wanted).c_str());                                                          \
      failures()++;                                                                               \
    }                                                                                             \
  } while (0)

inline std::string show(const std::string& text) { return '"' + text + '"'; }
template <typename T>
std::string show(const T& number) {
  return std::to_string(number);
}

int main() {
  for (const Test& test : tests()) {
    const int before = failures();
    test.body();
    std::printf("%s %s\n", failures() == before ? "ok  " : "FAIL", test.name);
  }
  if (tests().empty()) return 2;
  std::printf("%zu tests, %d failed checks\n", tests().size(), failures());
  return failures() == 0 ? 0 : 1;
}
