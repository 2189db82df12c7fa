// A field of a form, and how the head of a part of multipart/form-data says which one it is (RFC 7578). No
// state; any thread.
#pragma once

#include <sluice/kit/answers.h>
#include <sluice/kit/request.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::kit {

// A field of a form.
struct FormPart {
  std::string name;
  std::string content;
  // Of a file: its name, which the client may have made up, so it is no path. Empty if no file was chosen.
  std::optional<std::string> file_name = {};
  std::string type = {};  // media type of a part of multipart/form-data that says one
};

namespace detail {

inline constexpr std::size_t kPartHeadMax = 4 * 1024;

[[noreturn]] inline void refuse_form(const char* why) {
  throw Refuse{400, std::string("The multipart form is not well formed: ") + why};
}

// Takes `what` from the front.
inline bool take_prefix(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

inline void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t")));
}

// Browsers do not escape backslashes. So one is itself, and gets its escape here, unless it stands before a
// quote that does not end the value: other clients escape quotes so.
inline std::string with_escapes(std::string_view value) {
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    text += value[i];
    if (value[i] != '\\') continue;
    const bool is_before_quote = value.substr(i + 1).starts_with('"');
    const std::size_t next = value.find_first_not_of(" \t", i + 2);
    const bool is_escape = is_before_quote && next != std::string_view::npos && value[next] != ';';
    text += is_escape ? value[++i] : '\\';
  }
  return text;
}

// Browsers write quotes and line ends of names so.
inline std::string unescaped(std::string_view name) {
  std::string text;
  while (!name.empty()) {
    if (take_prefix(name, "%22")) {
      text += '"';
    } else if (take_prefix(name, "%0D")) {
      text += '\r';
    } else if (take_prefix(name, "%0A")) {
      text += '\n';
    } else {
      text += name.front();
      name.remove_prefix(1);
    }
  }
  return text;
}

// The head of a part of multipart/form-data, without its last line end. Throws a Refuse.
inline FormPart read_part_head(std::string_view head) {
  FormPart part;
  bool has_name = false;
  while (!head.empty()) {
    std::string_view value = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), value.size() + 2));
    const bool has_control_bytes = std::any_of(value.begin(), value.end(), [](char byte) {
      return (static_cast<unsigned char>(byte) < 0x20 && byte != '\t') || byte == '\x7f';
    });
    const std::string_view field = take_until(value, ':');
    if (has_control_bytes || !is_token(field)) refuse_form("a part has a line that is no field");
    if (same_letters(field, "content-type")) part.type = kit::media_type(value);
    if (!same_letters(field, "content-disposition")) continue;
    const std::string escaped = with_escapes(value);
    const auto name = media_parameter(escaped, "name");
    const std::string_view kind = trimmed(value.substr(0, value.find(';')));
    if (has_name || !name || !same_letters(kind, "form-data")) refuse_form("a part has not one name");
    has_name = true;
    part.name = unescaped(*name);
    if (const auto file = media_parameter(escaped, "filename")) part.file_name = unescaped(*file);
  }
  if (!has_name) refuse_form("a part has not one name");
  return part;
}

}  // namespace detail
}  // namespace sluice::kit
