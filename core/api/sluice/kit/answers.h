// Answers that many modules give: content of a type, JSON, problem details (RFC 9457), redirects, and refusals.
// All of them are complete answers of an Exchange; set fields before. The loop's thread.
#pragma once

#include <sluice/handler.h>
#include <sluice/kit/json.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::kit {

// Thrown by what answers a request: it ends there, and the client gets this status.
struct Refuse {
  std::uint32_t status = 500;  // 300 to 599
  std::string detail = {};     // a sentence for the client
};

// What clients get when they are refused.
enum class Errors : std::uint8_t {
  problems,  // JSON: application/problem+json
  pages,     // the server's own pages, as Exchange::fail
};

namespace detail {

template <typename Value>
concept Dumpable = requires(const Value& value) {
  { value.dump() } -> std::convertible_to<std::string>;
};

// RFC 9110 section 15, RFC 6585; empty for others.
inline std::string_view reason(std::uint32_t status) {
  constexpr std::pair<std::uint32_t, std::string_view> kReasons[] = {
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {402, "Payment Required"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {423, "Locked"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {507, "Insufficient Storage"},
  };
  for (const auto& [known, text] : kReasons) {
    if (known == status) return text;
  }
  return {};
}

}  // namespace detail

// With an empty `type` there is no Content-Type.
inline void send(Exchange& exchange, std::uint32_t status, std::string_view type, std::string_view content) {
  exchange.status(status);
  if (!type.empty()) exchange.field("Content-Type", type);
  exchange.send(content);
}

// `value` is JSON already, or has a method dump() that gives it, as JsonText and the values of many libraries
// have.
template <typename Value>
void send_json(Exchange& exchange, std::uint32_t status, const Value& value) {
  if constexpr (detail::Dumpable<Value>) {
    const std::string text = value.dump();
    send(exchange, status, "application/json", text);
  } else {
    send(exchange, status, "application/json", std::string_view(value));
  }
}

// Problem details of the type about:blank, so the status says what the problem is, and `detail` what is special
// about this one.
inline void send_problem(Exchange& exchange, std::uint32_t status, std::string_view detail = {}) {
  JsonText json;
  json.object();
  if (const std::string_view title = detail::reason(status); !title.empty()) json.member("title", title);
  json.member("status", status);
  if (!detail.empty()) json.member("detail", detail);
  send(exchange, status, "application/problem+json", json.end().dump());
}

// Sends the client to `location`: a path, or a whole URI. It is not decoded text, so '%', '?' and '#' mean what
// they do in URIs: put texts that were decoded into it by path_encoded of request.h. Bytes that no URI has are
// escaped. After 303, the client gets it with GET; 301 and 308 are permanent; 307 and 308 keep the method.
inline void redirect(Exchange& exchange, std::string_view location, std::uint32_t status = 303) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kNeverInUris = "\"<>\\^`{|}";
  std::string escaped;
  for (const char byte : location) {
    const auto code = static_cast<unsigned char>(byte);
    if (code > ' ' && code < 0x7f && kNeverInUris.find(byte) == std::string_view::npos) {
      escaped += byte;
    } else {
      escaped += {'%', kHex[code >> 4], kHex[code & 15]};
    }
  }
  if (!exchange.field("Location", escaped)) return exchange.fail(500);
  exchange.status(status);
  exchange.send("");
}

// Answers for a Refuse. A status below 400 is no problem, so it has the server's page.
inline void refuse(Exchange& exchange, const Refuse& refusal, Errors errors = Errors::problems) {
  if (errors == Errors::pages || refusal.status < 400) return exchange.fail(refusal.status);
  send_problem(exchange, refusal.status, refusal.detail);
}

}  // namespace sluice::kit
