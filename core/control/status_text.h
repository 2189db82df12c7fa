// What a running server tells of itself, as a table for a person.
//
// A ServerView is taken by the supervisor for one answer; it borrows the workers' counters. Pure functions.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "module/module_placement.h"
#include "telemetry/worker_stats.h"

namespace sluice {

struct WorkerView {
  unsigned index = 0;
  pid_t pid = 0;
  std::uint64_t up_ms = 0;
  std::string_view state;
  const WorkerStats* stats = nullptr;
};

struct ServerView {
  pid_t pid = 0;
  std::uint64_t up_ms = 0;
  std::vector<std::string> listening;  // URLs
  ModuleSet modules;                   // in force
  std::vector<Place> places;           // where they answer
  std::vector<WorkerView> workers;
};

std::string status_text(const ServerView& view);

}  // namespace sluice
