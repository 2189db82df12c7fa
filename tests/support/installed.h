// Whether the programs of other projects are here, which some cases need.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/server_process.h"

namespace sluice::test {

// False, with a message, if one of them is not installed.
inline bool installed(const std::vector<std::string>& programs) {
  for (const std::string& program : programs) {
    if (run({"sh", "-c", "command -v " + program}).code == 0) continue;
    WARN(program << " is not installed");
    return false;
  }
  return true;
}

}  // namespace sluice::test
