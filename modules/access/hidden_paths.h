// Paths that are answered as if nothing was there. Plain values; any thread.
#pragma once

#include <fnmatch.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::access {

struct HiddenPaths {
  std::vector<std::string> patterns;  // of fnmatch(3), in which * matches a '/', too

  // Whether a pattern fits the path, which is a Request::path, or a folder on the way to it.
  bool has(std::string_view path) const {
    if (patterns.empty()) return false;
    const std::string whole(path);
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return ::fnmatch(pattern.c_str(), whole.c_str(), FNM_LEADING_DIR) == 0;
    });
  }
};

}  // namespace sluice::access
