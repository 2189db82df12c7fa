// Finds out why a file beneath a mount's folder cannot be opened: which part of its path it is, and what is
// wrong with it. Blocks, so it is for offload threads.
#pragma once

#include <string>

#include "common/files/open_beneath.h"

namespace sluice::files {

// The file that may not be read, or the folder on the way that may not be entered.
struct RefusedPlace {
  std::string name;      // a full path
  std::string sentence;  // "the user www-data may not read /srv/a.html"
};
RefusedPlace find_refused(int folder, const std::string& path, Links links);

// A sentence such as "/srv/site/docs has no 'a.html'". `error` is that of the attempt to open it (errno(3)).
std::string why_not_opened(int folder, const std::string& path, Links links, int error);

}  // namespace sluice::files
