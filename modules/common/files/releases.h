// Releases of a site beside each other, in the folder `releases`, and the link `current` to one of them, or to
// the same folder in each. While a new release is rolled out, pages of the one before still ask for its parts.
// Tools that build sites put a hash of the content into the names of those, so such a name means the same
// content in every release. Stateless. Any thread that may wait for the disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/files/open_beneath.h"

namespace sluice::files {

inline constexpr std::string_view kCurrentRelease = "current/";
inline constexpr std::string_view kReleases = "releases/";

// What looks like a hash in the last part of the path: eight or more hexadecimal digits that are neither a word
// nor a number, or, before the suffix, eight characters of base64url that do not look like words. Empty if
// nothing does.
std::string_view hash_in_name(std::string_view path);
inline bool has_hash_in_name(std::string_view path) {
  return !hash_in_name(path).empty();
}

// Looks for the path in the present release, and then in the latest of the others, at most `releases_max` of
// them, by the time at which their folders last changed. There are none if `current` does not lead into
// `releases`. `root` is the folder that nothing leads out of, and `prefix`, empty or ending in '/', the place
// of both beneath it. Returns the file's path beneath the root, or an empty text.
std::string find_in_releases(int root, const std::string& prefix, std::string_view path,
                             std::uint64_t releases_max);

}  // namespace sluice::files
