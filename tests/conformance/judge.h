// Judges an answer: by what its case expects, and by what RFC 9110 and 9112 ask of every answer. Pure.
#pragma once

#include <string>
#include <vector>

#include "conformance/case.h"
#include "conformance/site.h"
#include "support/http_client.h"

namespace sluice::conformance {

// What a case expects of the connection.
enum class Afterwards : std::uint8_t { as_said, keeps, closes };

// The case's expectation, taken apart. Throws std::runtime_error on one that cannot be understood.
struct Expectation {
  explicit Expectation(const std::string& text);

  bool allows(int status) const;  // 0: closed without an answer

  std::vector<int> statuses;
  Afterwards afterwards = Afterwards::as_said;
  std::vector<std::string> parts;  // the rest, as written
};

// Empty, or one sentence that says what is wrong with the answer.
std::string judge_answer(const Expectation& expected, const test::HttpAnswer& answer, bool to_head,
                         const Site& site);

}  // namespace sluice::conformance
