// The steps that look at the module itself, before any request: its ELF tables, and what it says of itself.
//
// Each runs in a child of its own, which loading libraries and the module may crash.
#pragma once

#include "check/findings.h"
#include "check/module_under_check.h"

namespace sluice::cli {

// Reads the tables of the file. Of the module no code runs; the libraries that it needs are loaded.
void check_tables(const ModuleUnderCheck& subject, Findings& findings);

// Loads the module and judges its description, its options and its default mount.
void check_description(const ModuleUnderCheck& subject, Findings& findings);

}  // namespace sluice::cli
