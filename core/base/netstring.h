// Several texts in one, each after its length, so that a text may contain any bytes. The server's processes
// write their messages in this form. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace sluice {

class NetstringWriter {
 public:
  NetstringWriter& put(std::string_view text) {
    text_.append(std::to_string(text.size())).append(":").append(text);
    return *this;
  }
  NetstringWriter& put(std::uint64_t number) { return put(std::to_string(number)); }
  std::string take() { return std::exchange(text_, {}); }

 private:
  std::string text_;
};

// Reads what a NetstringWriter wrote. A missing or broken text reads as empty, or as 0.
class NetstringReader {
 public:
  explicit NetstringReader(std::string_view text) : left_(text) {}

  bool at_end() const { return left_.empty(); }
  // The view is valid as long as the text that is read.
  std::string_view next() {
    const std::uint64_t size = parse_decimal(take_part(left_, ":")).value_or(0);
    const std::string_view field = left_.substr(0, size);
    left_.remove_prefix(field.size());
    return field;
  }
  std::uint64_t next_number() { return parse_decimal(next()).value_or(0); }

 private:
  std::string_view left_;
};

}  // namespace sluice
