// Makes settings of a configuration file: texts of the options at its top level, and whole sites. Any thread.
#pragma once

#include "base/mistakes.h"
#include "config_file.h"
#include "option_texts.h"
#include "serve_options.h"

namespace sluice::cli {

// The options at the top level, which other levels may replace.
OptionTexts read_top_level(const ConfigFile& config, Mistakes& mistakes);

// What a level above the file has given.
struct GivenPlaces {
  bool mounts = false;
  bool filters = false;
};

// Adds the sites of [[site]] to the settings, and the mounts and filters of [[mount]] and [[filter]] to the
// default site, unless `given` has others.
void add_sites(const ConfigFile& config, const GivenPlaces& given, ServeRequest& request, Mistakes& mistakes);

}  // namespace sluice::cli
