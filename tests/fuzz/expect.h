// The assertion of fuzz targets: a sentence and an abort, which libFuzzer reports as a finding.
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
