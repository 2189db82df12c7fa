#include "module/run_path.h"

#include <algorithm>

namespace sluice {

std::vector<std::string> run_path_entries(const std::string& run_path) {
  std::vector<std::string> entries;
  for (std::size_t at = 0; at <= run_path.size();) {
    const std::size_t end = std::min(run_path.find(':', at), run_path.size());
    entries.push_back(run_path.substr(at, end - at));
    at = end + 1;
  }
  return entries;
}

std::optional<std::string> with_origin(const std::string& text, const std::string& origin) {
  std::string replaced = text;
  bool found = false;
  for (const std::string token : {"${ORIGIN}", "$ORIGIN"}) {
    for (std::size_t at = 0; (at = replaced.find(token, at)) != std::string::npos; at += origin.size()) {
      replaced.replace(at, token.size(), origin);
      found = true;
    }
  }
  return found ? std::optional(replaced) : std::nullopt;
}

}  // namespace sluice
