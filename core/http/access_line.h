// Lines of the access log: nginx's "combined" form, and JSON with Caddy's names and some of our own beside
// them.
//
// Pure, but for the local time zone, which the C library knows.
//
// INVARIANT: a line fits into AccessRing::kLineMax, because each text of a client's is cut at its bound.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "base/peer_facts.h"
#include "http/line_buffer.h"
#include "http/request_head.h"

namespace sluice {

// The local time as "30/Nov/2026:20:37:31 +0100", written once a second. The C library's lock is taken once in
// a quarter of an hour, which is when clocks change.
class AccessTime {
 public:
  // The view is valid until the next call.
  std::string_view at(std::time_t seconds);

 private:
  std::time_t second_ = -1;
  std::time_t quarter_ = -1;
  long offset_s_ = 0;  // from UTC
  std::string text_;
};

// What is known of a request when it has ended.
struct AccessFacts {
  const RequestHead& head;        // of a refused one: the parts that are known
  std::string_view client;        // as Exchange::client_address says it
  std::string_view local_time{};  // of its end, by AccessTime
  std::uint64_t sent = 0;         // bytes of content
  std::uint32_t status = 0;       // of the answer; 499 if it ended before there was one
  // The others are in JSON only.
  std::string_view peer{};     // the connection's, which a proxy may be; as `client`
  std::uint64_t ended_us = 0;  // since 1970
  std::uint64_t took_ns = 0;   // from its head's arrival
  std::uint64_t received = 0;  // bytes of the request's content
  std::string_view fields{};   // of the answer: "Name: value\r\n" each
  std::string_view ending{};   // "complete", ...
  std::string_view why{};      // of a handshake that has failed
  std::string_view site{};     // whose log it is
  std::string_view module{};   // who was asked last; empty if nobody was
  std::string_view mount{};    // where that is mounted
  std::uint32_t generation = 0;
  std::uint64_t connection = 0;   // by its number in the server's log
  std::string_view waited_for{};  // what it has waited for longest, as `sluice_waits` names it; may be empty
  std::uint64_t waited_ms = 0;
  const TlsFacts* tls = nullptr;
  bool secure = false;  // by https
};

// Both append one line with its end.
void append_combined(LineBuffer& out, const AccessFacts& facts);
void append_json(LineBuffer& out, const AccessFacts& facts);

// The user of a field Authorization with the scheme Basic (RFC 7617), checked or not, as nginx reads it: "="
// and what is behind it may be missing. Empty without one.
std::string basic_user(std::string_view authorization);
// The trace of a valid field traceparent (W3C Trace Context section 3.2); empty without one.
std::string_view trace_of(std::string_view traceparent);

}  // namespace sluice
