// The process that a person starts. It owns the listening sockets, forks the workers, replaces those that
// die, and passes signals on. It never runs module code.
//
// One thread. TERM, INT and QUIT drain (a second one ends at once); HUP reads the settings again; other
// signals are ignored.
#pragma once

#include "server/supervision.h"

namespace sluice {

inline constexpr int kExitFine = 0;
inline constexpr int kExitCouldNotStart = 1;
inline constexpr int kExitForced = 2;

// Serves until a signal ends it, and returns the exit code. It calls `reread` at HUP; on an error it logs
// that and goes on as before.
int supervise(const Settings& settings, const ReadSettings& reread, Service service);

}  // namespace sluice
