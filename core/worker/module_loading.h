// Loads and unloads modules in a worker. Both run code of the module (its static constructors and
// destructors), so the thread notes which module it is in.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/error.h"
#include "module/module_file.h"
#include "module/module_set.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// The note for a thread that loads this entry. REQUIRES: the loop's thread.
std::uint64_t note_of_loading(WorkerStats& stats, const ModuleEntry& entry);

// Any thread; may block.
Result<std::shared_ptr<ModuleFile>> load_module(const ModuleEntry& entry, WorkerStats& stats,
                                                std::uint64_t note);

// Brings the file's pages into memory, so that calls of the code do not wait for the disk. Any thread;
// blocks.
void read_through(const std::string& path);

// Any thread; may block. While threads run that are not among `own_threads`, the code stays in memory,
// because it is not known which module has started them. When the process is `ending`, nothing is logged
// about that.
void unload_module(std::shared_ptr<ModuleFile> file, WorkerStats& stats, std::uint64_t note,
                   const std::set<std::string>& own_threads, bool ending);

// The numbers of all threads of this process (proc(5)). Nothing if they cannot be listed: descriptors may be
// used up.
std::optional<std::set<std::string>> running_threads();

}  // namespace sluice
