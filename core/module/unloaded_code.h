// Removes the pointers to its code that an unloaded module has left in the process: destructors of pthread
// keys, which run when a thread ends, and signal handlers.
#pragma once

namespace sluice {

// Deletes such keys, and gives such signals the handlers that they had before the module. Any thread, after
// dlclose(3).
void forget_unloaded_code();

}  // namespace sluice
