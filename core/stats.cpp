#include "stats.h"

#include <iterator>

namespace sluice {
namespace {

template <typename Entries, typename LabelOf>
std::uint32_t find_or_add(Entries& entries, std::string_view name, LabelOf label_of) {
  name = name.substr(0, Label::kSizeMax);
  const auto last = static_cast<std::uint32_t>(std::size(entries) - 1);
  for (std::uint32_t index = 0; index < last; ++index) {
    Label& label = label_of(entries[index]);
    if (label.get().empty()) label.set(name);
    if (label.get() == name) return index;
  }
  if (label_of(entries[last]).get().empty()) label_of(entries[last]).set("(more)");
  return last;
}

}  // namespace

std::uint32_t WorkerStats::module_index(std::string_view name) {
  return find_or_add(modules, name, [](Label& label) -> Label& { return label; });
}

std::uint32_t WorkerStats::module_counter_index(std::string_view name) {
  return find_or_add(module_counters, name, [](ModuleCounter& counter) -> Label& { return counter.name; });
}

std::string_view noted_module(const WorkerStats& stats, unsigned thread) {
  const std::uint32_t note = stats.notes[thread].load(std::memory_order_relaxed);
  return note == 0 || note > WorkerStats::kModulesMax ? std::string_view() : stats.modules[note - 1].get();
}

}  // namespace sluice
