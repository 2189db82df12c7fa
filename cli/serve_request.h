// Puts together what `sluice serve` was told: command line before environment before file before default, for
// each option as a whole. Every value that is given is checked, also one that another level replaces.
//
// Reads the environment and the file anew at each call, so that HUP can repeat it. Any thread; never exits.
#pragma once

#include <string>

#include "option_texts.h"
#include "serve_options.h"

namespace sluice::cli {

// The error is one sentence that begins with where the value stands.
Result<ServeRequest> read_serve_request(const OptionTexts& command_line, const Environment& environment);

// The folder of modules as command line and environment say, for the command that needs nothing else.
Result<std::string> read_plugins_folder(const OptionTexts& command_line, const Environment& environment);

// Where a running server is asked: `control` and `control_folder` of the settings, which is all that is read.
Result<Settings> read_control_settings(const OptionTexts& command_line, const Environment& environment);

}  // namespace sluice::cli
