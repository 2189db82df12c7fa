// Explains a line that is no TOML because its value has no quotes. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::cli {

// The line as it has to be: root = "/srv". Nothing if that is not what is wrong with it.
std::optional<std::string> with_quotes(std::string_view line);

}  // namespace sluice::cli
