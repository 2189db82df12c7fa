// The process that a person starts: it owns the listening sockets, forks the workers, replaces those that die
// and passes signals on. It never runs module code.
//
// One thread. TERM, INT and QUIT drain (a second one ends at once), HUP reads the settings again; other signals
// are ignored.
#pragma once

#include "server/supervision.h"

namespace sluice {

inline constexpr int kExitFine = 0;
inline constexpr int kExitCouldNotStart = 1;
inline constexpr int kExitForced = 2;

// Serves until a signal ends it, and returns the exit code. `reread` is called at HUP; an error from it is
// logged and the server goes on as it was.
int supervise(const Settings& settings, const ReadSettings& reread);

}  // namespace sluice
