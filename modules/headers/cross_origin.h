// Cross-origin requests (Fetch section 3.3): which pages of other origins may read answers, and the answers to
// preflights. Plain values; loop thread.
#pragma once

#include <sluice/filter.h>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::headers {

struct CrossOrigin {
  std::vector<std::string> origins;  // "https://a.example", or "*" alone; empty: nothing is said
  std::string methods;               // "GET, HEAD, POST"
  std::string request_fields;        // of a preflight; empty: those that it asks for
  std::string shown_fields;          // that pages may read, besides the simple ones
  bool credentials = false;
  std::uint64_t max_age_s = 0;

  bool is_on() const { return !origins.empty(); }
  // Answers a preflight. false if the request is none.
  bool answer_preflight(Exchange& exchange) const;
  void apply(const Request& request, AnswerHead& head) const;

 private:
  // The value of Access-Control-Allow-Origin; empty if the origin is not allowed.
  std::string_view allowed(std::string_view origin) const;
  bool says_any() const { return origins.size() == 1 && origins.front() == "*"; }
};

}  // namespace sluice::headers
