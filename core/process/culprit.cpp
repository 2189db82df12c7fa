#include "process/culprit.h"

#include <fmt/core.h>
#include <algorithm>
#include <cstring>
#include <string_view>

namespace sluice {

std::string Culprit::text() const {
  if (module.empty()) return "in the server itself, outside any module";
  std::string text = fmt::format("inside module {}, generation {}", module, generation);
  if (!request.empty()) text += ", for " + request;
  return text;
}

Culprit read_snapshot(const WorkerStats& stats, const Snapshot& snapshot) {
  Culprit culprit;
  culprit.module = noted_module(stats, snapshot.module_tag);
  culprit.generation = noted_generation(snapshot.module_tag);
  culprit.signal = snapshot.signal;
  culprit.outside = snapshot.sent_by != 0;
  culprit.sent_by = std::max(0, snapshot.sent_by);
  culprit.request.assign(snapshot.request, ::strnlen(snapshot.request, sizeof(snapshot.request)));
  // Reads the size once: a faulty worker may overwrite it meanwhile.
  const std::uint32_t size = *static_cast<const volatile std::uint32_t*>(&snapshot.frames_size);
  culprit.frames.assign(snapshot.frames, snapshot.frames + std::min<std::uint32_t>(size, Snapshot::kFramesMax));
  for (Snapshot::Frame& frame : culprit.frames) frame.object[sizeof(frame.object) - 1] = '\0';
  return culprit;
}

Culprit read_note(const WorkerStats& stats, const CallNote& note) {
  const std::uint64_t tag = note.module_tag.load(std::memory_order_acquire);
  Culprit culprit;
  culprit.module = noted_module(stats, tag);
  culprit.generation = noted_generation(tag);
  culprit.request = note.request_text();
  return culprit;
}

Culprit read_notes(const WorkerStats& stats) {
  const CallNote* found = nullptr;
  for (const CallNote& note : stats.notes) {
    const std::uint64_t tag = note.module_tag.load(std::memory_order_relaxed);
    if (tag == 0) continue;
    if (found != nullptr && tag != found->module_tag.load(std::memory_order_relaxed)) return {};
    found = &note;
    if (&note == stats.notes) break;
  }
  return found == nullptr ? Culprit{} : read_note(stats, *found);
}

void name_by_frames(Culprit& culprit, const ModuleSet& modules) {
  for (const Snapshot::Frame& frame : culprit.frames) {
    const std::string_view object(frame.object);
    const auto module = std::find_if(modules.begin(), modules.end(), [&](const ModuleEntry& entry) {
      return entry.path.substr(0, sizeof(frame.object) - 1) == object;
    });
    if (module == modules.end()) continue;
    culprit.module = module->name.empty() ? module->file : module->name;
    culprit.generation = module->generation;
    return;
  }
}

}  // namespace sluice
