// What a module that was unloaded may have left in the process, by which code would be called that is gone: the
// destructors of its pthread keys, which run when a thread ends, and its signal handlers.
#pragma once

namespace sluice {

// Takes them away: such keys are deleted, and such signals are handled as before the module came. Any thread,
// after dlclose(3).
void forget_unloaded_code();

}  // namespace sluice
