// Several texts in one, each after its length, so that a text may contain any bytes. The server's processes
// write their messages in this form. Values; any thread.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

class NetstringWriter {
 public:
  NetstringWriter& put(std::string_view text) {
    text_.append(std::to_string(text.size())).append(":").append(text);
    return *this;
  }
  NetstringWriter& put(std::uint64_t number) { return put(std::to_string(number)); }
  std::string take() { return std::move(text_); }

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
    const std::size_t colon = std::min(left_.find(':'), left_.size());
    std::size_t size = 0;
    std::from_chars(left_.data(), left_.data() + colon, size);
    left_.remove_prefix(std::min(colon + 1, left_.size()));
    const std::string_view field = left_.substr(0, size);
    left_.remove_prefix(field.size());
    return field;
  }
  std::uint64_t next_number() {
    const std::string_view text = next();
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }

 private:
  std::string_view left_;
};

}  // namespace sluice
