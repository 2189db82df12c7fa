// Prints, when a server serves, what it serves, where, and how to stop it. Any thread.
#pragma once

#include <string>

#include "process/worker_group.h"

namespace sluice {

void print_startup_message(const WorkerGroup& group);

// What confinement lacks here, and what it takes from modules in spite of grants. `lacking` is of the kernel.
void log_confinement(const Settings& settings, const std::string& lacking);

}  // namespace sluice
