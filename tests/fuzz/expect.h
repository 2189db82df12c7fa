// What a fuzz target asserts: a sentence and an abort, which libFuzzer takes for a finding.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace sluice::fuzz {

inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "it does not hold that %s\n", what);
  std::abort();
}

}  // namespace sluice::fuzz
