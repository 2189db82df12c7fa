// Matches a pattern of Lua 5.1 (Reference Manual, section 5.4.1) against a text. LuaJIT's own functions can
// take years for patterns such as ("a*"):rep(20) .. "b", and call no hook meanwhile; this one looks at the
// time.
//
// Pure, but for the budget. One thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::lua {

class TimeIsSpent {};
struct WrongPattern {
  const char* why;
};

class PatternMatch {
 public:
  static constexpr int kCapturesMax = 32;
  static constexpr std::ptrdiff_t kPosition = -2;  // as the size of a capture: where it stands is captured

  struct Capture {
    const char* begin;
    std::ptrdiff_t size;
  };
  // Whether to stop. Asked once in a few thousand steps.
  using IsSpent = bool (*)(void*);

  // Both texts outlive this. Throws WrongPattern.
  PatternMatch(std::string_view text, std::string_view pattern, IsSpent is_spent, void* data);

  // The end of a match that begins at `from`, with a pattern that begins at `pattern`; null without one. Throws
  // TimeIsSpent or WrongPattern.
  const char* at(const char* from, const char* pattern) {
    captures_ = 0;
    depth_ = 0;
    return match(from, pattern);
  }
  int captures() const { return captures_; }
  const Capture& capture(int index) const { return capture_[index]; }
  const char* begin() const { return begin_; }
  const char* end() const { return end_; }

 private:
  static constexpr std::ptrdiff_t kOpen = -1;

  const char* match(const char* text, const char* pattern);
  const char* match_more(const char* text, const char* pattern, const char* item_end);
  const char* match_special(const char*& text, const char*& pattern, bool& goes_on);
  const char* repeat_most(const char* text, const char* item, const char* item_end);
  const char* repeat_least(const char* text, const char* item, const char* item_end);
  const char* open(const char* text, const char* pattern, std::ptrdiff_t size);
  const char* close(const char* text, const char* pattern);
  const char* balanced(const char* text, const char* pattern);
  const char* captured_again(const char* text, char digit);
  bool is_frontier(const char* text, const char* set, const char* set_end) const;
  const char* end_of_item(const char* item) const;
  bool fits(const char* text, const char* item, const char* item_end) const;
  static bool set_has(unsigned char byte, const char* set, const char* last);
  static bool class_has(unsigned char byte, unsigned char name);
  void count_steps(std::size_t count);

  const char* begin_;
  const char* end_;
  const char* pattern_end_;
  IsSpent is_spent_;
  void* data_;
  int captures_ = 0;
  int depth_ = 0;
  std::size_t steps_ = 0;  // since the last look at the time
  Capture capture_[kCapturesMax]{};
};

}  // namespace sluice::lua
