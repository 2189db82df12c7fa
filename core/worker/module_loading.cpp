#include "worker/module_loading.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/unique_fd.h"
#include "loop/offload.h"

namespace sluice {
namespace {

CallNote& note_of_this_thread(WorkerStats& stats) {
  return stats.notes[Offload::thread_index()];
}

}  // namespace

std::uint64_t note_of_loading(WorkerStats& stats, const ModuleEntry& entry) {
  return make_module_tag(stats.module_index(entry.name.empty() ? entry.file : entry.name), entry.generation);
}

Result<std::shared_ptr<ModuleFile>> load_module(const ModuleEntry& entry, WorkerStats& stats,
                                                std::uint64_t note) {
  const NotedCall noted(note_of_this_thread(stats), note);
  return ModuleFile::load(entry.path, entry.file, entry.generation, entry.folder);
}

void read_through(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char piece[64 * 1024];
  while (fd && ::read(fd.get(), piece, sizeof(piece)) > 0) {
  }
}

void unload_module(std::shared_ptr<ModuleFile> file, WorkerStats& stats, std::uint64_t note,
                   const std::set<std::string>& own_threads, bool ending) {
  const NotedCall noted(note_of_this_thread(stats), note);
  const auto threads = running_threads();
  const char* why = nullptr;
  if (!threads)
    why = "the threads of this process cannot be listed, and one of the module's may run";
  else if (!std::includes(own_threads.begin(), own_threads.end(), threads->begin(), threads->end()))
    why = "a thread that a module has started still runs";
  if (why != nullptr) file->keep_mapped(ending ? nullptr : why);
  file.reset();
}

std::optional<std::set<std::string>> running_threads() {
  std::set<std::string> threads;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/task", error);
       entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    threads.insert(entry->path().filename().string());
  }
  if (error) return std::nullopt;
  return threads;
}

}  // namespace sluice
