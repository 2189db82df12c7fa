// The state of a running server. The supervisor makes a ServerView for each answer. It points to the workers'
// counters. Plain values.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "module/module_events.h"
#include "module/module_placement.h"
#include "settings/certificate_facts.h"
#include "telemetry/worker_stats.h"

namespace sluice {

struct WorkerView {
  unsigned index = 0;
  pid_t pid = 0;
  std::uint64_t up_ms = 0;
  std::string_view state;
  const WorkerStats* stats = nullptr;
  std::string granted = {};  // to its modules, as it was granted
};

struct CertificateView {
  CertificateFacts facts;
  std::vector<std::string> sites;  // that show it
};

struct ServerView {
  pid_t pid = 0;
  std::uint64_t up_ms = 0;
  std::vector<std::string> listening;  // URLs
  ModuleSet modules;                   // in force
  std::vector<Place> places;           // where the modules answer
  std::vector<WorkerView> workers;
  std::vector<CertificateView> certificates;  // in force
  std::vector<ModuleEvent> events;            // of the modules, the latest last
  std::string_view state = "ready";           // or "starting", "stopping"
  bool several_folders = false;               // of modules, in the settings
  std::string lacking = {};                   // what the kernel does not offer to confine workers
};

}  // namespace sluice
