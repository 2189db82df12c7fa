// What `sluice explain` learns about one request. Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/explain_query.h"

namespace sluice {

struct ExplainedDecision {
  std::string by;
  std::string what;
};

struct Explanation {
  ExplainQuery query;
  std::vector<ExplainedDecision> decisions{};  // in the order in which they were made
  std::uint32_t status = 0;                    // 0: there was no answer
  std::string head{};                          // the answer's, as HTTP/1.1 has it
  std::string ending{};                        // a sentence, if there is no complete answer

  // For a person, or as JSON if the query wants it.
  std::string text() const;
};

}  // namespace sluice
