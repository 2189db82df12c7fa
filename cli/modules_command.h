// `sluice modules`: which modules the folder holds, what can be set on each, and why one cannot be loaded.
// Loading happens in short-lived children (inspect_modules), so nothing here runs module code. One thread.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "option_texts.h"
#include "swap/module_store.h"

namespace sluice::cli {

// The table, in 80 columns unless names are longer; ends with a newline.
std::string format_modules(const std::vector<ModuleReport>& modules);

// Returns the exit code: 1 when the folder cannot be read, 0 otherwise.
int run_modules(const OptionTexts& command_line, const Environment& environment, std::ostream& out,
                std::ostream& err);

}  // namespace sluice::cli
