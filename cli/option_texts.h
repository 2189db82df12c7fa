// What a person wrote, before it is checked: the texts given for each option, and where each of them stands.
// One such table is made of the command line, one of the environment and one of the file. Plain values.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::cli {

struct OptionText {
  std::string text;
  // "--workers", "SLUICE_WORKERS" or "sluice.toml:3:11: workers"; begins an error's sentence.
  std::string source;
};

// By the long name of the option, without its dashes.
using OptionTexts = std::map<std::string, std::vector<OptionText>, std::less<>>;

// The variables of the environment.
class Environment {
 public:
  using Variables = std::map<std::string, std::string, std::less<>>;

  explicit Environment(Variables variables) : variables_(std::move(variables)) {}

  // Nothing when the variable is not set.
  std::optional<std::string> operator()(std::string_view name) const {
    const auto found = variables_.find(name);
    return found == variables_.end() ? std::nullopt : std::optional(found->second);
  }
  const Variables& all() const { return variables_; }

 private:
  Variables variables_;
};

}  // namespace sluice::cli
