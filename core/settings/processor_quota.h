// How many processors the control groups of this process let it use at once (cgroups(7)): in containers that is
// often less than the machine has. Reads files of /proc and /sys; any thread.
#pragma once

#include <optional>
#include <string>

namespace sluice {

// The smallest quota of its group and of those above it, rounded up; nothing if there is none. `root` stands
// before all paths.
std::optional<unsigned> processor_quota(const std::string& root = "");

}  // namespace sluice
