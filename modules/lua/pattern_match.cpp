#include "lua/pattern_match.h"

#include <cstring>

namespace sluice::lua {
namespace {

constexpr int kDepthMax = 200;
constexpr std::size_t kPatternMax = 8 * 1024;
constexpr std::size_t kStepsPerLook = 4096;
constexpr std::size_t kBytesPerStep = 64;

unsigned char byte_of(const char* text) {
  return static_cast<unsigned char>(*text);
}

// As in the locale "C", whatever the process has.
bool is_between(unsigned char byte, unsigned char first, unsigned char last) {
  return byte >= first && byte <= last;
}
bool is_upper(unsigned char byte) {
  return is_between(byte, 'A', 'Z');
}
bool is_lower(unsigned char byte) {
  return is_between(byte, 'a', 'z');
}
bool is_digit(unsigned char byte) {
  return is_between(byte, '0', '9');
}
bool is_word(unsigned char byte) {
  return is_upper(byte) || is_lower(byte) || is_digit(byte);
}
bool is_hexadecimal(unsigned char byte) {
  return is_digit(byte) || is_between(byte, 'a', 'f') || is_between(byte, 'A', 'F');
}

}  // namespace

void PatternMatch::count_steps(std::size_t count) {
  steps_ += count;
  if (steps_ < kStepsPerLook) return;
  steps_ = 0;
  if (is_spent_(data_)) throw TimeIsSpent();
}

PatternMatch::PatternMatch(std::string_view text, std::string_view pattern, IsSpent is_spent, void* data)
    : begin_(text.data()),
      end_(begin_ + text.size()),
      pattern_end_(pattern.data() + pattern.size()),
      is_spent_(is_spent),
      data_(data) {
  // A set is compared character by character, in one step.
  if (pattern.size() > kPatternMax) throw WrongPattern{"the pattern has more than 8 KiB"};
}

const char* PatternMatch::match(const char* text, const char* pattern) {
  if (++depth_ > kDepthMax) throw WrongPattern{"the pattern is too complex"};
  const char* matched = nullptr;
  while (true) {
    count_steps(1);
    if (pattern == pattern_end_) {
      matched = text;
      break;
    }
    bool goes_on = false;
    matched = match_special(text, pattern, goes_on);
    if (pattern == nullptr) break;  // it was special, and has ended
    if (goes_on) continue;
    const char* item_end = end_of_item(pattern);
    const char suffix = item_end < pattern_end_ ? *item_end : '\0';
    if (suffix == '?' || suffix == '*' || suffix == '+' || suffix == '-') {
      matched = match_more(text, pattern, item_end);
      break;
    }
    if (text == end_ || !fits(text, pattern, item_end)) break;
    ++text;
    pattern = item_end;
  }
  --depth_;
  return matched;
}

// An item with a suffix, and all that follows.
const char* PatternMatch::match_more(const char* text, const char* item, const char* item_end) {
  const bool fits_here = text < end_ && fits(text, item, item_end);
  switch (*item_end) {
    case '*':
      return repeat_most(text, item, item_end);
    case '+':
      return fits_here ? repeat_most(text + 1, item, item_end) : nullptr;
    case '-':
      return repeat_least(text, item, item_end);
    default: {
      const char* with = fits_here ? match(text + 1, item_end + 1) : nullptr;
      return with != nullptr ? with : match(text, item_end + 1);
    }
  }
}

// What is no single character. `pattern` becomes null if the result is that of the whole match, and goes_on is
// set if both texts have moved on.
const char* PatternMatch::match_special(const char*& text, const char*& pattern, bool& goes_on) {
  const char* here = pattern;
  const char* next = here + 1;
  const auto ended = [&](const char* result) {
    pattern = nullptr;
    return result;
  };
  if (*here == '(') {
    if (next < pattern_end_ && *next == ')') return ended(open(text, next + 1, kPosition));
    return ended(open(text, next, kOpen));
  }
  if (*here == ')') return ended(close(text, next));
  if (*here == '$' && next == pattern_end_) return ended(text == end_ ? text : nullptr);
  if (*here != '%' || next == pattern_end_) return nullptr;
  if (*next == 'b') {
    text = balanced(text, next + 1);
    pattern = next + 3;
  } else if (*next == 'f') {
    const char* set = next + 1;
    if (set >= pattern_end_ || *set != '[') throw WrongPattern{"the pattern has no [ behind %f"};
    const char* set_end = end_of_item(set);
    if (!is_frontier(text, set, set_end)) return ended(nullptr);
    pattern = set_end;
  } else if (is_digit(byte_of(next))) {
    text = captured_again(text, *next);
    pattern = next + 1;
  } else {
    return nullptr;
  }
  if (text == nullptr) return ended(nullptr);
  goes_on = true;
  return nullptr;
}

const char* PatternMatch::repeat_most(const char* text, const char* item, const char* item_end) {
  std::ptrdiff_t count = 0;
  while (text + count < end_ && fits(text + count, item, item_end)) {
    ++count;
    count_steps(1);
  }
  for (; count >= 0; --count) {
    if (const char* matched = match(text + count, item_end + 1)) return matched;
  }
  return nullptr;
}

const char* PatternMatch::repeat_least(const char* text, const char* item, const char* item_end) {
  while (true) {
    if (const char* matched = match(text, item_end + 1)) return matched;
    if (text == end_ || !fits(text, item, item_end)) return nullptr;
    ++text;
  }
}

const char* PatternMatch::open(const char* text, const char* pattern, std::ptrdiff_t size) {
  if (captures_ == kCapturesMax) throw WrongPattern{"the pattern has more than 32 captures"};
  capture_[captures_++] = {text, size};
  const char* matched = match(text, pattern);
  if (matched == nullptr) --captures_;
  return matched;
}

const char* PatternMatch::close(const char* text, const char* pattern) {
  int index = captures_ - 1;
  while (index >= 0 && capture_[index].size != kOpen) --index;
  if (index < 0) throw WrongPattern{"the pattern has a ) without its ("};
  capture_[index].size = text - capture_[index].begin;
  const char* matched = match(text, pattern);
  if (matched == nullptr) capture_[index].size = kOpen;
  return matched;
}

const char* PatternMatch::balanced(const char* text, const char* pattern) {
  if (pattern_end_ - pattern < 2) throw WrongPattern{"the pattern has no two characters behind %b"};
  if (text == end_ || *text != pattern[0]) return nullptr;
  std::size_t depth = 1;
  for (++text; text < end_; ++text) {
    count_steps(1);
    if (*text == pattern[1]) {
      if (--depth == 0) return text + 1;
    } else if (*text == pattern[0]) {
      ++depth;
    }
  }
  return nullptr;
}

const char* PatternMatch::captured_again(const char* text, char digit) {
  const int index = digit - '1';
  if (index < 0 || index >= captures_ || capture_[index].size == kOpen)
    throw WrongPattern{"the pattern names a capture that is not complete"};
  const Capture& captured = capture_[index];
  if (captured.size == kPosition) return nullptr;
  if (end_ - text < captured.size) return nullptr;
  const auto size = static_cast<std::size_t>(captured.size);
  count_steps(1 + size / kBytesPerStep);
  return std::memcmp(captured.begin, text, size) == 0 ? text + captured.size : nullptr;
}

bool PatternMatch::is_frontier(const char* text, const char* set, const char* set_end) const {
  const unsigned char before = text == begin_ ? 0 : byte_of(text - 1);
  const unsigned char behind = text == end_ ? 0 : byte_of(text);
  return !set_has(before, set, set_end - 1) && set_has(behind, set, set_end - 1);
}

// Behind one character, class or set.
const char* PatternMatch::end_of_item(const char* item) const {
  const char first = *item++;
  if (first == '%') {
    if (item == pattern_end_) throw WrongPattern{"the pattern ends with %"};
    return item + 1;
  }
  if (first != '[') return item;
  if (item < pattern_end_ && *item == '^') ++item;
  bool is_first = true;
  while (true) {
    if (item == pattern_end_) throw WrongPattern{"the pattern has a [ without its ]"};
    const char byte = *item++;
    if (byte == ']' && !is_first) return item;
    if (byte == '%' && item < pattern_end_) ++item;
    is_first = false;
  }
}

bool PatternMatch::fits(const char* text, const char* item, const char* item_end) const {
  switch (*item) {
    case '.':
      return true;
    case '%':
      return class_has(byte_of(text), byte_of(item + 1));
    case '[':
      return set_has(byte_of(text), item, item_end - 1);
    default:
      return *text == *item;
  }
}

// `set` is at its '[', and `last` at its ']'.
bool PatternMatch::set_has(unsigned char byte, const char* set, const char* last) {
  bool has = true;
  if (set[1] == '^') {
    has = false;
    ++set;
  }
  while (++set < last) {
    if (*set == '%') {
      if (class_has(byte, byte_of(++set))) return has;
    } else if (set + 2 < last && set[1] == '-') {
      if (is_between(byte, byte_of(set), byte_of(set + 2))) return has;
      set += 2;
    } else if (byte_of(set) == byte) {
      return has;
    }
  }
  return !has;
}

bool PatternMatch::class_has(unsigned char byte, unsigned char name) {
  const auto of_class = [byte](unsigned char small) {
    switch (small) {
      case 'a':
        return is_upper(byte) || is_lower(byte);
      case 'c':
        return byte < 32 || byte == 127;
      case 'd':
        return is_digit(byte);
      case 'g':
        return is_between(byte, 33, 126);
      case 'l':
        return is_lower(byte);
      case 'p':
        return is_between(byte, 33, 126) && !is_word(byte);
      case 's':
        return byte == ' ' || is_between(byte, 9, 13);
      case 'u':
        return is_upper(byte);
      case 'w':
        return is_word(byte);
      case 'x':
        return is_hexadecimal(byte);
      default:
        return byte == 0;  // 'z'
    }
  };
  const bool is_negated = is_upper(name);
  const auto small = static_cast<unsigned char>(is_negated ? name + 32 : name);
  if (std::strchr("acdglpsuwxz", small) == nullptr || small == 0) return name == byte;
  return of_class(small) != is_negated;
}

}  // namespace sluice::lua
