// Plays a case to a server over a socket, in one of several ways, and judges the answer. One thread.
#pragma once

#include <map>
#include <string>

#include "conformance/case.h"
#include "conformance/judge.h"
#include "support/http_client.h"

namespace sluice::conformance {

enum class Delivery : std::uint8_t {
  whole,         // in one piece
  byte_by_byte,  // each byte in a segment of its own
  pipelined,     // in one piece, with a request before and one after it
};

struct Played {
  int status = 0;     // 0: no answer
  std::string wrong;  // one sentence; empty if nothing is wrong
};

class Player {
 public:
  Player(test::Endpoint endpoint, const Site& site, int timeout_ms = test::kClientTimeoutMs)
      : endpoint_(std::move(endpoint)), site_(site), timeout_ms_(timeout_ms) {}

  Played play(const Case& tried, Delivery delivery);

 private:
  std::string fill_in(std::string text);
  const std::string& etag(const std::string& path);
  std::string judge_connection(test::HttpClient& client, const Expectation& expected,
                               const test::HttpAnswer& answer, bool followed);

  test::Endpoint endpoint_;
  const Site& site_;
  int timeout_ms_;
  std::map<std::string, std::string> etags_;
};

}  // namespace sluice::conformance
