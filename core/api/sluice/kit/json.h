// Writes JSON (RFC 8259), for modules that need no library for it:
//
//     kit::JsonText json;
//     json.object().member("id", 7).member("name", name).key("tags").array().value("new").end().end();
//     call.json(200, json);
//
// Text that is not UTF-8 is repaired with U+FFFD. What would be no JSON throws std::logic_error: a value
// without a name in an object, a name elsewhere or without a value, a second value behind the whole. No state
// besides the object's; any thread.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sluice::kit {

namespace detail {

// How many bytes at the front of `text` are one character of UTF-8 (RFC 3629); 0 if they are none.
inline std::size_t utf8_size(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool is_longer_than_needed = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool is_no_character = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  return is_longer_than_needed || is_no_character ? 0 : size;
}

}  // namespace detail

// The text as a JSON string, with its quotes.
inline std::string json_string(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string json = "\"";
  json.reserve(text.size() + 2);
  while (!text.empty()) {
    const std::size_t size = detail::utf8_size(text);
    const char byte = text.front();
    if (size == 0) {
      json += "\xef\xbf\xbd";
    } else if (byte == '"' || byte == '\\') {
      json += '\\';
      json += byte;
    } else if (byte == '\n') {
      json += "\\n";
    } else if (static_cast<unsigned char>(byte) < 0x20 || byte == '\x7f') {
      json += "\\u00";
      json += kHex[static_cast<unsigned char>(byte) >> 4];
      json += kHex[static_cast<unsigned char>(byte) & 15];
    } else {
      json += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return json += '"';
}

class JsonText {
 public:
  static constexpr std::size_t kDepthMax = 32;

  JsonText& object() { return open('{', '}'); }
  JsonText& array() { return open('[', ']'); }
  // Ends the object or array that was begun last.
  JsonText& end() {
    if (depth_ == 0) throw std::logic_error("JsonText: there is no object or array to end");
    if (has_key_) throw std::logic_error("JsonText: a name has no value");
    text_ += ends_[--depth_];
    needs_comma_ = true;
    return *this;
  }
  // The name of the value that comes next.
  JsonText& key(std::string_view name) {
    if (!is_in_object() || has_key_) throw std::logic_error("JsonText: a name stands where none may be");
    raw(json_string(name) + ":", false);
    has_key_ = true;
    return *this;
  }
  template <typename Value>
  JsonText& member(std::string_view name, const Value& content) {
    return key(name).value(content);
  }

  JsonText& value(std::string_view content) { return whole(json_string(content)); }
  JsonText& value(const std::string& content) { return value(std::string_view(content)); }
  JsonText& value(const char* content) { return value(std::string_view(content)); }
  JsonText& value(std::nullptr_t) { return whole("null"); }
  JsonText& value(char) = delete;  // a text, or a number?
  template <typename Number>
  requires std::integral<Number> || std::floating_point<Number> JsonText& value(Number content) {
    if constexpr (std::same_as<Number, bool>) {
      return whole(content ? "true" : "false");
    } else if constexpr (std::floating_point<Number>) {
      return whole(std::isfinite(content) ? digits(content) : "null");  // JSON has no word for infinity
    } else {
      return whole(digits(content));
    }
  }
  // A value that is JSON already.
  JsonText& json(std::string_view content) { return whole(content); }

  // The whole text. Throws std::logic_error if an object or array has no end, or there is no value.
  const std::string& dump() const {
    if (depth_ != 0) throw std::logic_error("JsonText: an object or array has no end");
    if (text_.empty()) throw std::logic_error("JsonText: there is no value");
    return text_;
  }

 private:
  template <typename Number>
  static std::string digits(Number content) {
    std::array<char, 64> text;
    const auto written = std::to_chars(text.data(), text.data() + text.size(), content);
    return {text.data(), written.ptr};
  }
  JsonText& open(char begin, char end) {
    if (depth_ == kDepthMax) throw std::logic_error("JsonText: objects and arrays are too deep in each other");
    begin_value();
    raw(std::string_view(&begin, 1), false);
    ends_[depth_++] = end;
    return *this;
  }
  bool is_in_object() const { return depth_ != 0 && ends_[depth_ - 1] == '}'; }
  void begin_value() {
    if (is_in_object() && !has_key_) throw std::logic_error("JsonText: a value in an object has no name");
    if (depth_ == 0 && !text_.empty()) throw std::logic_error("JsonText: there is a value already");
    has_key_ = false;
  }
  JsonText& whole(std::string_view content) {
    begin_value();
    return raw(content, true);
  }
  JsonText& raw(std::string_view content, bool is_whole) {
    if (needs_comma_) text_ += ',';
    text_ += content;
    needs_comma_ = is_whole;
    return *this;
  }

  std::string text_;
  std::array<char, kDepthMax> ends_{};
  std::size_t depth_ = 0;
  bool needs_comma_ = false;
  bool has_key_ = false;  // of a value that comes next
};

}  // namespace sluice::kit
