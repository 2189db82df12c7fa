// What this process has taken of the system, and how that grows from round to round.
//
// Growth counts only when every window of rounds shows it, and a proof of many more does so as well, so that
// what is made once, and pools and caches that fill up, are no leak. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "check/findings.h"

namespace sluice::cli {

struct Resources {
  std::uint64_t heap_bytes = 0;
  std::uint64_t mapped_bytes = 0;  // the address space
  std::uint64_t descriptors = 0;
  std::uint64_t threads = 0;
};

Resources measure_resources();

// Runs `round` a few times without looking, then windows of `rounds`, and reports what grows by each round in
// all of them. `each` names a round: "each request". Ends early when `round` returns false.
void find_growth(Findings& findings, const std::string& each, unsigned rounds,
                 const std::function<bool()>& round);

}  // namespace sluice::cli
