// Judges an answer: by the expectation of its case, and by what RFC 9110 and 9112 require of every answer.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "conformance/case.h"
#include "conformance/site.h"
#include "support/http_client.h"

namespace sluice::conformance {

// What a case expects of the connection after the answer.
enum class Afterwards : std::uint8_t { as_said, keeps, closes };

// The parsed expectation of a case. Throws std::runtime_error if it cannot be parsed.
struct Expectation {
  explicit Expectation(const std::string& text);

  bool allows(int status) const;  // 0: closed without an answer

  std::vector<int> statuses;
  Afterwards afterwards = Afterwards::as_said;
  std::vector<std::string> parts;  // the rest, as written
};

// Returns one sentence about a wrong answer; empty if the answer is right.
std::string judge_answer(const Expectation& expected, const test::HttpAnswer& answer, bool to_head,
                         const Site& site);

}  // namespace sluice::conformance
