#include "swap/module_catalog.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

void forget_old_faults(ModuleRecord& record, std::uint64_t now_ms, const ModulePolicy& policy) {
  while (!record.faults_ms.empty() && record.faults_ms.front() + policy.fault_window_ms <= now_ms)
    record.faults_ms.pop_front();
}

bool before(const ModuleRecord& record, const std::string& file) {
  return record.serving.entry.file < file;
}

// Whether `other`, whose file is gone and which only mounts keep, gives way to another file with its module
// name.
bool gives_way(const ModuleEntry& other, const ModuleEntry& entry) {
  return other.removed && other.name == entry.name && other.file != entry.file;
}

// Inserts the entry in order, or replaces the entry of the same file.
void put(ModuleSet& set, const ModuleEntry& entry) {
  const auto place =
      std::lower_bound(set.begin(), set.end(), entry.file,
                       [](const ModuleEntry& other, const std::string& file) { return other.file < file; });
  if (place != set.end() && place->file == entry.file) {
    *place = entry;
  } else {
    set.insert(place, entry);
  }
}

}  // namespace

ModuleEntry entry_of(const std::string& file, const ModuleCopy& copy) {
  return {file, copy.path(), copy.generation(), "", "", false, false, copy.folder()};
}

ModuleSet ModuleCatalog::set() const {
  ModuleSet set;
  for (const ModuleRecord& record : records_) set.push_back(record.serving.entry);
  return set;
}

ModuleSet ModuleCatalog::trial_set(const std::string& file, const ModuleCopy& copy) const {
  ModuleSet set = this->set();
  for (ModuleEntry& entry : set) entry.closed = true;
  put(set, entry_of(file, copy));
  return set;
}

ModuleSet ModuleCatalog::set_with(const ModuleEntry& entry) const {
  ModuleSet set = this->set();
  std::erase_if(set, [&](const ModuleEntry& other) { return gives_way(other, entry); });
  put(set, entry);
  return set;
}

ModuleRecord* ModuleCatalog::own(const std::string& file) {
  const auto place = std::lower_bound(records_.begin(), records_.end(), file, before);
  return place != records_.end() && place->serving.entry.file == file ? &*place : nullptr;
}

const ModuleRecord* ModuleCatalog::find(const std::string& file) const {
  const auto place = std::lower_bound(records_.begin(), records_.end(), file, before);
  return place != records_.end() && place->serving.entry.file == file ? &*place : nullptr;
}

const ModuleRecord* ModuleCatalog::find_name(const std::string& name) const {
  const auto found = std::find_if(records_.begin(), records_.end(), [&](const ModuleRecord& record) {
    return !name.empty() && record.serving.entry.name == name;
  });
  return found == records_.end() ? nullptr : &*found;
}

std::vector<std::string> ModuleCatalog::files() const {
  std::vector<std::string> files;
  for (const ModuleRecord& record : records_) {
    if (!record.serving.entry.removed) files.push_back(record.serving.entry.file);
  }
  return files;
}

void ModuleCatalog::learn(const TrialReport& report, const ModuleSet& tried) {
  for (const ModuleEntry& entry : tried) {
    ModuleRecord* record = own(entry.file);
    if (record == nullptr || record->serving.entry.path != entry.path) continue;
    const auto is_of_file = [&](const auto& found) { return found.file == entry.file; };
    const auto known = std::find_if(report.modules.begin(), report.modules.end(), is_of_file);
    const bool has_problem = std::any_of(report.problems.begin(), report.problems.end(), is_of_file);
    if (has_problem && (known == report.modules.end() || !known->closed)) {
      remove(entry.file, false);
    } else if (known != report.modules.end()) {
      record->serving.entry.name = known->name;
      record->serving.entry.default_mount = known->default_mount;
      record->serving.entry.closed = record->serving.entry.closed || known->closed;
    }
  }
}

void ModuleCatalog::take(Generation generation, std::uint64_t now_ms, const ModulePolicy& policy) {
  const std::string file = generation.entry.file;
  const FileStamp taken = generation.copy->stamp();
  std::erase_if(records_,
                [&](const ModuleRecord& record) { return gives_way(record.serving.entry, generation.entry); });
  ModuleRecord* record = own(file);
  if (record == nullptr) {
    const auto place = std::lower_bound(records_.begin(), records_.end(), file, before);
    records_.insert(place, ModuleRecord{std::move(generation), std::nullopt, taken, {}});
    return;
  }
  forget_old_faults(*record, now_ms, policy);
  const std::uint32_t before = record->serving.entry.generation;
  const std::uint32_t now = generation.entry.generation;
  if (record->last_good && record->last_good->entry.generation == now) record->last_good.reset();
  if (!record->serving.entry.closed && record->faults_ms.empty() && before != now)
    record->last_good = std::move(record->serving);
  record->serving = std::move(generation);
  if (now > before) record->taken = taken;
  record->faults_ms.clear();
}

void ModuleCatalog::remove(const std::string& file, bool keep) {
  if (ModuleRecord* record = own(file); keep && record != nullptr) {
    record->serving.entry.removed = true;
    return;
  }
  std::erase_if(records_, [&](const ModuleRecord& record) { return record.serving.entry.file == file; });
}

Verdict ModuleCatalog::fault(const std::string& name, std::uint32_t generation, std::uint64_t now_ms,
                             const ModulePolicy& policy) {
  const auto found = std::find_if(records_.begin(), records_.end(), [&](const ModuleRecord& record) {
    const ModuleEntry& entry = record.serving.entry;
    return entry.name == name && entry.generation == generation && !entry.closed;
  });
  if (found == records_.end()) return Verdict::unknown;
  forget_old_faults(*found, now_ms, policy);
  found->faults_ms.push_back(now_ms);
  if (found->faults_ms.size() < policy.faults_max) return Verdict::counted;
  return found->last_good ? Verdict::go_back : Verdict::close;
}

void ModuleCatalog::suspend(const std::string& file) {
  ModuleRecord* record = own(file);
  record->serving.entry.closed = true;
  record->faults_ms.clear();
}

void ModuleCatalog::close(const std::string& file) {
  suspend(file);
  own(file)->last_good.reset();
}

}  // namespace sluice
