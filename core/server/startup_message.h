// Prints, when a server serves, what it serves, where, and how to stop it. Any thread.
#pragma once

#include "process/worker_group.h"

namespace sluice {

void print_startup_message(const WorkerGroup& group);

}  // namespace sluice
