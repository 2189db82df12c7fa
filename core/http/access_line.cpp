#include "http/access_line.h"

#include <fmt/core.h>

#include <cstdlib>

#include "base/text.h"
#include "base/utc_time.h"

namespace sluice {
namespace {

constexpr std::time_t kQuarterS = 15 * 60;
constexpr const char* kMonthNames[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
// nginx takes no longer ones, unless it is told to. A byte becomes up to four, and four texts fit into a line
// of the ring.
constexpr std::size_t kValueMax = 8 * 1024;
constexpr std::size_t kMethodNameMax = 64;
constexpr std::size_t kUserMax = 6 * 1024;  // kValueMax without its base64

// As nginx escapes a variable: what is not printable ASCII, and '"' and '\\', as \xHH.
void add_escaped(LineBuffer& out, std::string_view text, std::size_t max) {
  out.add_escaped(text.substr(0, max), [](char* to, unsigned char byte) {
    static constexpr char kUpperHex[] = "0123456789ABCDEF";
    *to++ = '\\';
    *to++ = 'x';
    *to++ = kUpperHex[byte >> 4];
    *to++ = kUpperHex[byte & 15];
    return to;
  });
}

// "-" stands for what is not there, and nothing for what is empty.
void add_value(LineBuffer& out, const Field* field) {
  if (field == nullptr) {
    out.add('-');
  } else {
    add_escaped(out, field->value, kValueMax);
  }
}

// The first of each.
struct LoggedFields {
  const Field* authorization = nullptr;
  const Field* referer = nullptr;
  const Field* user_agent = nullptr;

  explicit LoggedFields(const std::vector<Field>& fields) {
    for (const Field& field : fields) {
      const Field** place = field.id == FieldId::user_agent      ? &user_agent
                            : field.id == FieldId::referer       ? &referer
                            : field.id == FieldId::authorization ? &authorization
                                                                 : nullptr;
      if (place != nullptr && *place == nullptr) *place = &field;
    }
  }
};

// Without the port. A Unix socket is "unix:".
std::string_view address_of(std::string_view client) {
  if (client.ends_with(']')) return trimmed(client, "[]");
  const std::size_t colon = client.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == client.size()) return client;
  return trimmed(client.substr(0, colon), "[]");
}

void add_request_line(LineBuffer& out, const RequestHead& head) {
  if (!head.line.empty()) return add_escaped(out, head.line, kValueMax);
  if (head.method_name.empty() || head.target.empty()) return out.add('-');
  add_escaped(out, head.method_name, kMethodNameMax);
  out.add(' ');
  add_escaped(out, head.target, kValueMax);
  out.add(" HTTP/2.0");
}

// 0 to 63; -1 for what is no digit of base64 (RFC 4648 section 4).
constexpr int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

std::string_view AccessTime::at(std::time_t seconds) {
  if (seconds == second_) return text_;
  second_ = seconds;
  if (const std::time_t quarter = seconds / kQuarterS; quarter != quarter_) {
    quarter_ = quarter;
    std::tm local{};
    offset_s_ = ::localtime_r(&seconds, &local) == nullptr ? 0 : local.tm_gmtoff;
  }
  const UtcTime time = utc_time(seconds + offset_s_);
  const long minutes = std::abs(offset_s_) / 60;
  text_ = fmt::format("{:02}/{}/{}:{:02}:{:02}:{:02} {}{:02}{:02}", time.day, kMonthNames[time.month - 1],
                      time.year, time.hour, time.minute, time.second, offset_s_ < 0 ? '-' : '+', minutes / 60,
                      minutes % 60);
  return text_;
}

std::string basic_user(std::string_view authorization) {
  constexpr std::string_view kScheme = "basic ";
  if (!equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return {};
  std::string_view code = authorization.substr(kScheme.size());
  code.remove_prefix(std::min(code.find_first_not_of(' '), code.size()));
  code = code.substr(0, code.find('='));
  if (code.size() % 4 == 1) return {};
  std::string user;
  bool has_colon = false;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : code) {
    const int value = base64_value(c);
    if (value < 0) return {};
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    const char plain = static_cast<char>(bits >> count & 0xff);
    has_colon = has_colon || plain == ':';
    if (!has_colon) user += plain;
  }
  if (!has_colon) user.clear();
  return user;
}

// "00-" trace "-" parent "-" flags. Later versions may add a part.
std::string_view trace_of(std::string_view traceparent) {
  constexpr std::size_t kSize = 55;
  if (traceparent.size() < kSize || traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-')
    return {};
  const std::string_view version = traceparent.substr(0, 2);
  if (!is_hex(version) || version == "ff" ||
      (traceparent.size() > kSize && (version == "00" || traceparent[kSize] != '-')))
    return {};
  const std::string_view trace = traceparent.substr(3, 32);
  const std::string_view parent = traceparent.substr(36, 16);
  const bool valid = is_hex(trace) && is_hex(parent) && is_hex(traceparent.substr(53, 2)) && !is_zero(trace) &&
                     !is_zero(parent);
  return valid ? trace : std::string_view();
}

void append_combined(LineBuffer& out, const AccessFacts& facts) {
  const RequestHead& head = facts.head;
  const LoggedFields fields(head.read_fields.empty() ? head.fields : head.read_fields);
  out.add(address_of(facts.client));
  out.add(" - ");
  const std::string user = fields.authorization == nullptr ? "" : basic_user(fields.authorization->value);
  if (user.empty()) {
    out.add('-');
  } else {
    add_escaped(out, user, kUserMax);
  }
  out.add(" [");
  out.add(facts.local_time);
  out.add("] \"");
  add_request_line(out, head);
  out.add("\" ");
  out.add_number(facts.status);
  out.add(' ');
  out.add_number(facts.sent);
  out.add(" \"");
  add_value(out, fields.referer);
  out.add("\" \"");
  add_value(out, fields.user_agent);
  out.add("\"\n");
}

}  // namespace sluice
