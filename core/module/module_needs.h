// What a module needs beyond memory and the folders of its mounts: as its ModuleInfo says, and as its file
// shows. Any thread.
#pragma once

#include <sluice/abi.h>

#include <string>

#include "base/error.h"
#include "settings/settings.h"

namespace sluice {

// The bits that the module declares. One of 1.0 or 1.1 cannot declare any.
std::uint32_t needs_of(const ModuleInfo& info);

// An error if workers are confined, and something that the module declares is not granted.
Result<void> check_granted(const Settings& settings, const ModuleInfo& info);

// Functions that the file calls and that a confined worker refuses, with what would have to be granted; empty
// if there are none, or if the module declares such a need or is granted it. Reads the file.
std::string refused_calls(const Settings& settings, const std::string& path, const std::string& module,
                          std::uint32_t declared);

// Variables that were removed from this process, and whose names a file that reads variables loads as texts;
// empty if there are none. The sentence says how to grant them. Reads the file.
std::string missed_variables(const std::string& path, const std::string& module);

}  // namespace sluice
