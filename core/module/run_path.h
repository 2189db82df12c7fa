// Run paths of shared objects: the folders in which the dynamic linker looks for libraries (ld.so(8)).
// Stateless.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sluice {

// The entries of a run path, which colons separate.
std::vector<std::string> run_path_entries(const std::string& run_path);

// The text with `origin` in place of $ORIGIN; nullopt if it has no $ORIGIN.
std::optional<std::string> with_origin(const std::string& text, const std::string& origin);

}  // namespace sluice
