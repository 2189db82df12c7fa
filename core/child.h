// Runs a function in a short-lived child process, so that whatever it does stays there: code of modules
// crashes, hangs and leaks on its own account. For a process of one thread; blocks until the child is done or
// killed.
#pragma once

#include <functional>
#include <string>

#include "error.h"

namespace sluice {

// Returns what `task` returned in the child. The error says how the child ended instead: "crashed (SIGSEGV)",
// "did not finish within 10 s".
Result<std::string> run_in_child(const std::function<std::string()>& task, int timeout_ms);

// "SIGSEGV".
std::string signal_name(int signal);

}  // namespace sluice
