// The opening handshake of WebSocket (RFC 6455 section 4; RFC 8441 over HTTP/2). Pure; any thread.
#pragma once

#include <sluice/handler.h>
#include <sluice/kit/request.h>

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::kit {

namespace detail {

// Takes the next member off the front of a list, without the blanks around it.
inline std::string_view take_member(std::string_view& list, char mark) {
  return trimmed(take_until(list, mark));
}

// All lines of a field as one list (RFC 9110 section 5.3).
inline std::string joined_field(const Request& request, std::string_view name) {
  std::string all;
  for (std::uint32_t i = 0; i < request.field_count; ++i) {
    if (!same_letters(request.fields[i].name, name)) continue;
    if (!all.empty()) all += ", ";
    all += std::string_view(request.fields[i].value);
  }
  return all;
}

// A host without its port if that is the scheme's own.
inline std::string_view without_port(std::string_view authority, std::string_view scheme) {
  const std::string_view port = same_letters(scheme, "https") ? ":443" : ":80";
  return authority.ends_with(port) ? authority.substr(0, authority.size() - port.size()) : authority;
}

inline std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (unsigned j = 0; j < 4; ++j)
      text += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 0x3fU] : '=';
  }
  return text;
}

// FIPS 180-4. The handshake wants this sum, which protects nothing.
inline std::string sha1(std::string_view message) {
  std::array<std::uint32_t, 5> sum{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::string padded(message);
  padded += '\x80';
  while (padded.size() % 64 != 56) padded += '\0';
  const std::uint64_t bits = std::uint64_t{message.size()} * 8;
  for (int i = 7; i >= 0; --i) padded += static_cast<char>(bits >> (8 * i) & 0xffU);
  for (std::size_t block = 0; block < padded.size(); block += 64) {
    std::array<std::uint32_t, 80> words{};
    for (std::size_t i = 0; i < 64; ++i)
      words[i / 4] = words[i / 4] << 8 | static_cast<unsigned char>(padded[block + i]);
    for (std::size_t i = 16; i < 80; ++i)
      words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    auto [a, b, c, d, e] = sum;
    for (std::size_t i = 0; i < 80; ++i) {
      const std::uint32_t choice = i < 20              ? (b & c) | (~b & d)
                                   : i < 40 || i >= 60 ? b ^ c ^ d
                                                       : (b & c) | (b & d) | (c & d);
      const std::uint32_t constant = i < 20   ? 0x5a827999
                                     : i < 40 ? 0x6ed9eba1
                                     : i < 60 ? 0x8f1bbcdc
                                              : 0xca62c1d6;
      const std::uint32_t next = std::rotl(a, 5) + choice + e + constant + words[i];
      e = d, d = c, c = std::rotl(b, 30), b = a, a = next;
    }
    sum = {sum[0] + a, sum[1] + b, sum[2] + c, sum[3] + d, sum[4] + e};
  }
  std::string bytes;
  for (const std::uint32_t word : sum) {
    for (int i = 3; i >= 0; --i) bytes += static_cast<char>(word >> (8 * i) & 0xffU);
  }
  return bytes;
}

}  // namespace detail

// The value of Sec-WebSocket-Accept for a key.
inline std::string websocket_accept(std::string_view key) {
  return detail::base64(detail::sha1(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
}

// A WebSocket as a client asks for it.
struct WebSocketAsk {
  // 0: it can be accepted. 426: it is none, or of another version. 400: it breaks the rules. 403: a page of
  // another origin asks, see below.
  std::uint32_t refusal = 0;
  std::string key;         // empty with HTTP/2
  std::string protocols;   // a list
  std::string extensions;  // a list

  // Whether the client names this protocol.
  bool names(std::string_view protocol) const {
    for (std::string_view rest = protocols; !rest.empty();) {
      if (detail::take_member(rest, ',') == protocol) return true;
    }
    return false;
  }
};

// Which pages may connect. A browser sends the user's cookies with a WebSocket of any page.
struct WebSocketOrigins {
  bool any = false;            // also pages of other hosts
  std::string_view also = {};  // a list of origins besides the own one: "https://a.example, https://b.example"

  // `authority` and `scheme` are the request's. A page that came in clear text must not use https.
  bool allow(std::string_view origin, std::string_view authority, std::string_view scheme) const {
    if (any || origin.empty()) return true;  // programs that are no browsers send none
    for (std::string_view rest = also; !rest.empty();) {
      if (detail::same_letters(detail::take_member(rest, ','), origin)) return true;
    }
    const std::size_t colon = origin.find("://");
    if (colon == std::string_view::npos || authority.empty()) return false;
    const std::string_view of_page = origin.substr(0, colon);
    if (scheme == "https" && !detail::same_letters(of_page, scheme)) return false;
    return detail::same_letters(detail::without_port(origin.substr(colon + 3), of_page),
                                detail::without_port(authority, scheme));
  }
};

// What the request asks for.
inline WebSocketAsk judge_websocket(const Exchange& exchange, const WebSocketOrigins& origins = {}) {
  const Request& request = exchange.request();
  const auto field_of = [&](std::string_view name) { return field(request, name).value_or(""); };
  WebSocketAsk ask;
  ask.key = detail::joined_field(request, "Sec-WebSocket-Key");  // two of them are no key
  ask.protocols = detail::joined_field(request, "Sec-WebSocket-Protocol");
  ask.extensions = detail::joined_field(request, "Sec-WebSocket-Extensions");
  constexpr std::size_t kKeySize = 24;  // of 16 bytes in base64
  const bool is_key = ask.key.size() == kKeySize && ask.key.ends_with("==");
  if (!exchange.offers_upgrade("websocket") || field_of("Sec-WebSocket-Version") != "13") {
    ask.refusal = 426;
  } else if (request.version == 11 && (request.method != Method::get || !is_key)) {
    ask.refusal = 400;
  } else if (!origins.allow(field_of("Origin"), request.authority, request.scheme)) {
    ask.refusal = 403;
  }
  return ask;
}

}  // namespace sluice::kit
