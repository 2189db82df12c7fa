// What a server says on its standard output when it serves: what, where, and how to end it. Any thread.
#pragma once

#include "process/worker_group.h"

namespace sluice {

void print_startup_message(const WorkerGroup& group);

}  // namespace sluice
