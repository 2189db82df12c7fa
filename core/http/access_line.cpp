#include "http/access_line.h"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "base/text.h"
#include "base/utc_time.h"

namespace sluice {
namespace {

constexpr std::time_t kQuarterS = 15 * 60;
constexpr const char* kMonthNames[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr char kUpperHex[] = "0123456789ABCDEF";
constexpr char kLowerHex[] = "0123456789abcdef";

std::string_view field_of(const RequestHead& head, std::string_view name) {
  for (const Field& field : head.fields) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

std::string_view protocol_name(std::uint32_t version) {
  return version == 20 ? "HTTP/2.0" : version == 10 ? "HTTP/1.0" : "HTTP/1.1";
}

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
}

// With `digits` digits behind the point.
void append_fraction(std::string& out, std::uint64_t number, int digits) {
  std::uint64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  append_number(out, number / unit);
  out += '.';
  for (std::uint64_t rest = number % unit; unit > 1; rest %= unit) {
    unit /= 10;
    out += static_cast<char>('0' + rest / unit);
  }
}

struct Client {
  std::string_view address;
  std::string_view port;
};

Client parts_of(std::string_view client) {
  if (client.ends_with(']')) return {trimmed(client, "[]"), {}};
  const std::size_t colon = client.rfind(':');
  if (colon == std::string_view::npos) return {client, {}};
  std::string_view address = client.substr(0, colon);
  if (address.starts_with('[')) address = address.substr(1, address.size() - 2);
  return {client.substr(colon + 1).empty() ? client : address, client.substr(colon + 1)};
}

constexpr bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

// Appends each byte that is not plain by `escape`, and the others as they are.
template <typename Escape>
void append_plain(std::string& out, std::string_view text, Escape escape) {
  for (auto at = text.begin(); at != text.end();) {
    const auto special = std::find_if_not(at, text.end(), [](char c) { return is_plain(c); });
    out.append(at, special);
    at = special;
    if (at != text.end()) escape(static_cast<unsigned char>(*at++));
  }
}

// As nginx escapes a variable: what is not printable ASCII, and '"' and '\', as \xHH; "-" for nothing.
void append_escaped(std::string& out, std::string_view text) {
  if (text.empty()) out += '-';
  append_plain(out, text, [&out](unsigned char byte) {
    out += "\\x";
    out += kUpperHex[byte >> 4];
    out += kUpperHex[byte & 15];
  });
}

// A JSON text (RFC 8259 section 7). A byte that is not ASCII stands for the character with its number, so that
// the line is valid whatever a client sends.
void append_text(std::string& out, std::string_view text) {
  out += '"';
  append_plain(out, text, [&out](unsigned char byte) {
    out += "\\u00";
    out += kLowerHex[byte >> 4];
    out += kLowerHex[byte & 15];
  });
  out += '"';
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  append_text(out, text);
}

void append_header(std::string& out, std::string_view name, std::string_view value, bool& first) {
  if (value.empty()) return;
  out.append(first ? "\"" : ",\"").append(name).append("\":[");
  append_text(out, value);
  out += ']';
  first = false;
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
  const std::string_view code = trimmed(authorization.substr(kScheme.size()));
  constexpr std::size_t kCodeMax = 1024;
  if (code.empty() || code.size() > kCodeMax) return {};
  std::array<unsigned char, kCodeMax> plain;
  const int size = EVP_DecodeBlock(plain.data(), reinterpret_cast<const unsigned char*>(code.data()),
                                   static_cast<int>(code.size()));
  if (size < 0) return {};
  const std::string_view pair(reinterpret_cast<const char*>(plain.data()), static_cast<std::size_t>(size));
  const std::size_t colon = pair.find(':');
  return colon == std::string_view::npos ? std::string() : std::string(pair.substr(0, colon));
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

void append_combined(std::string& out, const AccessFacts& facts) {
  const RequestHead& head = facts.head;
  append_escaped(out, parts_of(facts.client).address);
  out += " - ";
  append_escaped(out, basic_user(field_of(head, "authorization")));
  out.append(" [").append(facts.local_time).append("] \"");
  append_escaped(out, head.line.empty() ? head.method_name : head.line);
  if (head.line.empty() && !head.method_name.empty()) {
    out += ' ';
    append_escaped(out, head.target);
    out.append(" ").append(protocol_name(head.version));
  }
  out += "\" ";
  append_number(out, facts.status);
  out += ' ';
  append_number(out, facts.sent);
  out += " \"";
  append_escaped(out, field_of(head, "referer"));
  out += "\" \"";
  append_escaped(out, field_of(head, "user-agent"));
  out += "\"\n";
}

void append_json(std::string& out, const AccessFacts& facts) {
  const RequestHead& head = facts.head;
  const Client client = parts_of(facts.client);
  out += "{\"level\":\"info\",\"ts\":";
  append_fraction(out, facts.ended_us, 6);
  out += R"(,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":)";
  append_text(out, client.address);
  append_member(out, "remote_port", client.port);
  append_member(out, "client_ip", client.address);
  append_member(out, "proto", protocol_name(head.version));
  append_member(out, "method", head.method_name);
  append_member(out, "host", head.host);
  append_member(out, "uri", head.target);
  out += ",\"headers\":{";
  bool first = true;
  append_header(out, "User-Agent", field_of(head, "user-agent"), first);
  append_header(out, "Referer", field_of(head, "referer"), first);
  out.append("}},\"secure\":").append(facts.secure ? "true" : "false");
  append_member(out, "user_id", basic_user(field_of(head, "authorization")));
  out += ",\"duration\":";
  append_fraction(out, facts.took_ns, 9);
  out += ",\"size\":";
  append_number(out, facts.sent);
  out += ",\"status\":";
  append_number(out, facts.status);
  append_member(out, "site", facts.site);
  append_member(out, "module", facts.module);
  append_member(out, "ending", facts.ending);
  if (const auto trace = trace_of(field_of(head, "traceparent")); !trace.empty())
    append_member(out, "trace_id", trace);
  out += "}\n";
}

}  // namespace sluice
