// Takes rights, limits, variables and descriptors from a process, for good, before it runs code that is not the
// server's. One thread: what threads that run already may do stays the same.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace sluice {

// No program that this process executes gets capabilities any more. Needs CAP_SETPCAP, so it is done before
// the process changes users; without that capability nothing happens.
void empty_bounding_set();

// No capability is left, also where root goes on as root (capabilities(7)). A program that is executed gets no
// right that this process does not have (PR_SET_NO_NEW_PRIVS).
Result<void> give_up_privileges();
// Whether that can be done here. A filter of system calls may refuse prctl(2).
bool privileges_can_be_given_up();

// Other processes of the same user can neither trace this one nor read its memory, files and environment in
// /proc, and no core is dumped (PR_SET_DUMPABLE).
Result<void> hide_from_same_user();

// Memory is not both written and run as code, and written memory never becomes code (PR_SET_MDWE). False if the
// kernel is older than Linux 6.3.
bool forbid_new_code();
// Whether this kernel can do that.
bool new_code_can_be_forbidden();

// `bytes` is for what is written in memory (RLIMIT_DATA).
Result<void> limit_memory(std::uint64_t bytes);
Result<void> limit_processor_time(std::uint64_t seconds);

// Removes all variables from the environment that are not wanted, and overwrites their values in memory.
void keep_variables(const std::function<bool(std::string_view name)>& is_wanted);
// The names of those that were removed.
const std::vector<std::string>& removed_variables();

// Closes all descriptors from 3 on that are not among these. Reads from stdin end at once.
void keep_descriptors(std::vector<int> kept);

}  // namespace sluice
