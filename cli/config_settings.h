// Makes settings of a configuration file: texts of the options at its top level, and whole sites. Any thread.
#pragma once

#include "base/mistakes.h"
#include "config_file.h"
#include "option_texts.h"
#include "serve_options.h"

namespace sluice::cli {

// The options at the top level, which other levels may replace.
OptionTexts read_top_level(const ConfigFile& config, Mistakes& mistakes);

// Adds the sites of [[site]] to the settings, and the mounts of [[mount]] to the default site. `has_mounts`: a
// level above the file has given other ones.
void add_sites(const ConfigFile& config, bool has_mounts, ServeRequest& request, Mistakes& mistakes);

}  // namespace sluice::cli
