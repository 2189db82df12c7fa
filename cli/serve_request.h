// Collects the settings of `sluice serve`. For each option as a whole, the command line comes before the
// environment, the environment before the file, and the file before the default. Every given value is
// checked, even if another level replaces it.
//
// Each call reads the environment and the file anew, so that HUP can repeat it. Any thread; never exits.
#pragma once

#include <string>
#include <vector>

#include "option_texts.h"
#include "serve_options.h"

namespace sluice::cli {

// The error is one sentence. It begins with the place of the value.
Result<ServeRequest> read_serve_request(const OptionTexts& command_line, const Environment& environment);

// The folders of modules, from command line and environment: for a command that needs nothing else.
Result<std::vector<std::string>> read_plugins_folders(const OptionTexts& command_line,
                                                      const Environment& environment);

// Where the running server is asked. Only `control` and `control_folder` of the settings are read.
Result<Settings> read_control_settings(const OptionTexts& command_line, const Environment& environment);

}  // namespace sluice::cli
