// `sluice modules`: lists the modules of the folders, their options, and why one cannot be loaded. Short-lived
// children load them (inspect_modules), so no module code runs in this process. One thread.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "option_texts.h"
#include "swap/module_report.h"

namespace sluice::cli {

// The table, in 80 columns unless names are longer; ends with a newline. `several_folders`: tells from which
// folder a module is.
std::string format_modules(const std::vector<ModuleReport>& modules, bool several_folders = false);

// Returns the exit code: 1 when the folder cannot be read, 0 otherwise.
int run_modules(const OptionTexts& command_line, const Environment& environment, std::ostream& out,
                std::ostream& err);

}  // namespace sluice::cli
