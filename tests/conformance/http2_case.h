// One rule of HTTP/2 as a line of a table: the frames to send behind the preface, and what has to come of them.
//
// The expectation is written in parts, separated by " | ":
//
// - 1: 200: the status on stream 1. Commas separate alternatives: "1: 400, reset PROTOCOL_ERROR" is one of
//   these. "1: nothing": no frame comes for it.
// - 1: Name=value: a field of that answer. 1: !Name: a field that is not there. 1: size 10: so much content.
// - goaway PROTOCOL_ERROR: the server ends the connection with this code, or one of several. Without this part,
//   the connection has to go on: a further request is answered.
// - pong 1, settings 2: so many acknowledgements.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conformance/case.h"
#include "support/http2_wire.h"

namespace sluice::conformance {

struct Http2Case {
  Level level;
  const char* rule;  // "9113 6.5" is RFC 9113, section 6.5
  const char* name;
  // The bytes to send. The wire compresses fields.
  std::function<std::string(test::Http2Wire&)> frames;
  std::string expected;
  bool bare = false;  // without a preface before
};

struct Http2Table {
  const char* name;
  std::vector<Http2Case> cases;
};

std::vector<Http2Case> http2_frame_cases();
std::vector<Http2Case> http2_stream_cases();
std::vector<Http2Case> http2_field_cases();
std::vector<Http2Case> http2_answer_cases();

inline std::vector<Http2Table> all_http2_tables() {
  return {{"frames", http2_frame_cases()},
          {"streams", http2_stream_cases()},
          {"fields", http2_field_cases()},
          {"answers", http2_answer_cases()}};
}

}  // namespace sluice::conformance
