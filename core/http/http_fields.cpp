#include "http/http_fields.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace sluice {
namespace {

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}
constexpr auto kTokenBytes = make_token_table();

struct KnownField {
  std::string_view name;  // lower case
  FieldId id;
};
// Sorted by length, so that a name is compared only with names of its own length.
constexpr KnownField kKnownFields[] = {
    {"te", FieldId::te},
    {"host", FieldId::host},
    {"range", FieldId::range},
    {"accept", FieldId::accept},
    {"cookie", FieldId::cookie},
    {"expect", FieldId::expect},
    {"referer", FieldId::referer},
    {"upgrade", FieldId::upgrade},
    {"if-match", FieldId::if_match},
    {"if-range", FieldId::if_range},
    {"connection", FieldId::connection},
    {"user-agent", FieldId::user_agent},
    {"content-type", FieldId::content_type},
    {"authorization", FieldId::authorization},
    {"if-none-match", FieldId::if_none_match},
    {"content-length", FieldId::content_length},
    {"accept-encoding", FieldId::accept_encoding},
    {"accept-language", FieldId::accept_language},
    {"if-modified-since", FieldId::if_modified_since},
    {"transfer-encoding", FieldId::transfer_encoding},
    {"if-unmodified-since", FieldId::if_unmodified_since},
};
constexpr std::size_t kLongestKnown = 19;

constexpr auto make_first_of_length() {
  std::array<std::uint8_t, kLongestKnown + 2> first{};
  for (std::size_t length = 0; length < first.size(); ++length) {
    std::uint8_t index = 0;
    while (index < std::size(kKnownFields) && kKnownFields[index].name.size() < length) ++index;
    first[length] = index;
  }
  return first;
}
constexpr auto kFirstOfLength = make_first_of_length();

// Fields that frame a message or describe the connection (RFC 9110 sections 7.6.1 and 6.6.1, RFC 9112 section
// 6).
constexpr std::string_view kServersOwn[] = {"connection",        "content-length", "date", "keep-alive",
                                            "proxy-connection",  "server",         "te",   "trailer",
                                            "transfer-encoding", "upgrade"};

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return kTokenBytes[static_cast<unsigned char>(c)]; });
}

bool is_field_value(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  if (!text.empty() && (is_blank(text.front()) || is_blank(text.back()))) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return (code >= 0x20 && code != 0x7f) || c == '\t';
  });
}

bool list_has(std::string_view list, std::string_view member) {
  while (!list.empty()) {
    std::string_view item = take_part(list, ",");
    if (equals_ignoring_case(trimmed(take_part(item, ";")), member)) return true;
  }
  return false;
}

FieldId field_id(std::string_view name) {
  if (name.size() > kLongestKnown) return FieldId::other;
  for (std::size_t i = kFirstOfLength[name.size()]; i < kFirstOfLength[name.size() + 1]; ++i) {
    if (equals_ignoring_case(name, kKnownFields[i].name)) return kKnownFields[i].id;
  }
  return FieldId::other;
}

const char* why_not_sendable(std::string_view name, std::string_view value) {
  if (!is_token(name)) return "its name is not a token (RFC 9110 section 5.1)";
  if (!is_field_value(value)) return "its value has control bytes, or blanks at an end (RFC 9110 section 5.5)";
  for (const std::string_view own : kServersOwn) {
    if (equals_ignoring_case(name, own)) return "only the server sends this field";
  }
  return nullptr;
}

void remove_field(std::string& lines, std::string_view name) {
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find("\r\n", at) + 2;
    if (equals_ignoring_case(std::string_view(lines).substr(at, lines.find(':', at) - at), name)) {
      lines.erase(at, end - at);
    } else {
      at = end;
    }
  }
}

void append_field(std::string& lines, std::string_view name, std::string_view value) {
  lines.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace sluice
