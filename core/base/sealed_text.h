// A text in memory that any process can read by its descriptor, and none can change (memfd_create(2), with
// seals). Any thread; never waits for a disk.
#pragma once

#include <string_view>

#include "base/unique_fd.h"

namespace sluice {

// If the system refuses, the descriptor is -1, and errno says why.
UniqueFd sealed_text(std::string_view text);

}  // namespace sluice
