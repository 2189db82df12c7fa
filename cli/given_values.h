// What a person said before anything is judged: the texts given for each option, and where each of them stands.
// One such table is made of the command line, one of the environment and one of the file. Plain values.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::cli {

struct GivenValue {
  std::string text;
  std::string source;  // "--workers", "SLUICE_WORKERS" or "sluice.conf:3: workers"; begins the error's sentence
};

// By the long name of the option, without its dashes.
using GivenValues = std::map<std::string, std::vector<GivenValue>, std::less<>>;

// Looks an environment variable up; empty when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

}  // namespace sluice::cli
