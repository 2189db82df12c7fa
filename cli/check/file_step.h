// The steps that look at the module before any request: its ELF tables, and its own description.
//
// Each step runs in a child process, because loading libraries and the module may crash it.
#pragma once

#include "check/findings.h"
#include "check/module_under_check.h"

namespace sluice::cli {

// Reads the tables of the file. No code of the module runs; the libraries that it needs are loaded.
void check_tables(const ModuleUnderCheck& subject, Findings& findings);

// Loads the module and judges its description, its options and its default mount.
void check_description(const ModuleUnderCheck& subject, Findings& findings);

}  // namespace sluice::cli
