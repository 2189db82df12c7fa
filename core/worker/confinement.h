// Confines the process of a worker, or one in which modules are tried, before it loads a module: it keeps what
// serving needs and what the administrator has granted to its modules, and gives up everything else.
//
// - Files: read beneath the roots and folders of its mounts, beside files that options name, the private copies
//   of modules, and what libraries need of the system (Landlock).
// - Network: the connections that it accepts, and nothing else (Landlock and seccomp).
// - Other processes: none, neither by signals nor by ptrace(2) (Landlock, seccomp, not dumpable).
// - System calls: those that servers and libraries use (seccomp).
// - Rights: no capabilities, no set-user-ID programs. Descriptors, variables and limits: what it needs.
//
// What the kernel does not offer is left out, or is an error if the settings say `on`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/shared_state.h"
#include "settings/serving_plan.h"

namespace sluice {

struct ConfinedProcess {
  const ServingPlan& plan;
  std::optional<std::size_t> group;  // of ServingPlan::groups, whose mounts it serves; nullopt: of all
  Permissions granted;
  std::string copies;            // the folder of private copies of modules; empty for none
  std::vector<int> descriptors;  // that it keeps, besides those of the plan
  bool tries = false;            // it only tries modules
  ToldParts* told = nullptr;     // of all workers, so that they do not all say the same
};

// Also changes to the user of the plan, which needs rights that are given up afterwards. Returns what is in
// force, as bits of `confined::`. REQUIRES: one thread.
Result<std::uint64_t> confine(const ConfinedProcess& process);

// What is granted to the modules of a group.
Permissions permissions_of(const ServingPlan& plan, std::optional<std::size_t> group);

}  // namespace sluice
