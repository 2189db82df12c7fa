// Measures what this process uses of the system, and how that grows from round to round.
//
// Growth counts only if every window of rounds has it, and so many more windows as a proof. So pools and
// caches that fill up, and things that are made once, are no leak. Loop thread.
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

// Runs `round` a few times without measuring, then windows of `rounds`. Reports what grows in all of the
// windows. `each` names a round: "each request". Ends early when `round` returns false.
void find_growth(Findings& findings, const std::string& each, unsigned rounds,
                 const std::function<bool()>& round);

}  // namespace sluice::cli
