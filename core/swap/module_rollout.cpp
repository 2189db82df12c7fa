#include "swap/module_rollout.h"

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "base/shortage_text.h"
#include "module/module_file.h"
#include "module/module_source.h"
#include "swap/module_folder.h"

namespace sluice {
namespace {

// The pause before the catalog's set goes to the workers again, after some could not take it.
constexpr std::uint64_t kRetryMs = 1'000;
// Workers make a changed module's handlers while they serve, so the limit is well below hang_ms, which ends a
// worker.
constexpr std::uint64_t kMakeMsMax = 1'000;
constexpr std::uint64_t kHangShare = 4;

std::uint64_t make_ms_max(const ModulePolicy& policy) {
  return policy.hang_ms == 0 ? kMakeMsMax : std::min(kMakeMsMax, policy.hang_ms / kHangShare);
}

std::string seconds(std::uint64_t ms) {
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

std::string generation_text(const ModuleEntry& entry) {
  return "generation " + std::to_string(entry.generation);
}

Unexpected no_such_module(const std::string& module) {
  return fail(fmt::format("there is no module {}: `sluice modules` lists them", module));
}

Unexpected change_at_work(const std::string& module) {
  return fail(fmt::format("a change of module {} is at work: try again in a moment", module));
}

}  // namespace

ModuleRollout::ModuleRollout(EventLoop& loop, std::unique_ptr<ModuleStore> store, CloseInChild close_in_child,
                             MayStep may_step)
    : loop_(loop),
      close_in_child_(std::move(close_in_child)),
      may_step_(std::move(may_step)),
      work_(loop, [this] { work(); }),
      store_(std::move(store)) {}

void ModuleRollout::begin(FolderTrial folder, const RolloutWorkers& workers) {
  workers_ = &workers;
  catalog_ = std::move(folder.catalog);
  catalog_.learn(folder.report, catalog_.set());
  in_force_ = catalog_.set();
  store_->keep_libraries();
  waiting_.clear();
  look_wanted_ = again_wanted_ = false;
  refusals_.clear();
  later_.clear();
  while (!reviving_.empty()) revived(reviving_.begin()->first, fail("other folders of modules serve now"));
  watch();
  wake();
}

void ModuleRollout::go_on(const TrialReport& report, const ModuleSet& tried, ModuleSet given,
                          const RolloutWorkers& workers) {
  workers_ = &workers;
  catalog_.learn(report, tried);
  in_force_ = std::move(given);
  look_again();
  again_wanted_ = true;
}

void ModuleRollout::close_for_child() {
  watches_.clear();
  store_->close_for_child();
  if (trial_ != nullptr) trial_->close_for_child();
}

std::uint64_t ModuleRollout::due_ms() const {
  if (stage_ != Stage::idle) return change_until_ms_;
  if (look_wanted_ || !waiting_.empty() || !reviving_.empty()) return 0;
  return std::min(catalog_.set() != in_force_ ? retry_at_ms_ : Alarm::kNever,
                  later_.empty() ? Alarm::kNever : later_at_ms_);
}

void ModuleRollout::work() {
  if (!may_step_()) return;
  step();
  if (may_step_()) work_.at(due_ms());
}

// Goes on as far as it can now.
void ModuleRollout::step() {
  const std::uint64_t now_ms = monotonic_ms();
  if (stage_ == Stage::preparing) ask_next();
  if (stage_ == Stage::preparing && unanswered_.empty()) commit();
  if (stage_ == Stage::asking && now_ms >= change_until_ms_) {
    give_up_folders();
  } else if (stage_ != Stage::idle && now_ms >= change_until_ms_) {
    refuse(stage_ == Stage::trying ? "its trial did not end within " + seconds(policy().swap_ms)
                                   : "a worker did not get ready for it within " + seconds(policy().swap_ms));
  }
  if (stage_ != Stage::idle) return;
  if (now_ms >= later_at_ms_) try_later_ones();
  while (stage_ == Stage::idle && !reviving_.empty()) revive(reviving_.begin()->first);
  if (stage_ == Stage::idle && catalog_.set() != in_force_ && now_ms >= retry_at_ms_) {
    change_ = Generation{};
    prepare(catalog_.set());
  }
  if (stage_ != Stage::idle) return;
  if (folders_are_wanted() && !folders_answer_) return ask_folders();
  if (std::exchange(folders_answer_, false)) look();
  // Removed files come first, so that a file that takes over their module's name finds it free.
  while (stage_ == Stage::idle && !waiting_.empty()) {
    auto next = std::find_if(waiting_.begin(), waiting_.end(),
                             [this](const std::string& file) { return !folder_of(folders(), file); });
    if (next == waiting_.end()) next = waiting_.begin();
    const std::string file = *next;
    waiting_.erase(next);
    begin_change(file);
  }
}

void ModuleRollout::begin_change(const std::string& file) {
  const ModuleRecord* record = catalog_.find(file);
  const auto folder = folder_of(folders(), file);
  if (!folder) return remove(file);
  const auto stamp = stamp_of(*folder + "/" + file);
  if (record != nullptr && stamp && record->taken == *stamp && !record->serving.entry.removed) return;
  change_ = Generation{};
  change_.entry.file = file;
  const auto allowed = check_modules_folder(*folder);
  if (!allowed) return refuse(allowed.error().message);
  auto copy = store_->begin_copy(*folder, file);
  if (!copy) return refuse(copy.error().error.message);
  try_copy(std::move(*copy));
}

void ModuleRollout::remove(const std::string& file) {
  const ModuleRecord* record = catalog_.find(file);
  if (record == nullptr || record->serving.entry.removed) return;
  const std::string name = record->serving.entry.name;
  const bool keep = is_mounted_by_name(*workers_->shared_plan(), name);
  if (name.empty()) {
    log(LogLevel::info, fmt::format("{} is gone: its module was not in use", file));
    return catalog_.remove(file, false);
  }
  if (keep) {
    log(LogLevel::warning, fmt::format("{} is gone, but the settings name module {}, which goes on with {}",
                                       file, name, generation_text(record->serving.entry)));
  } else {
    log(LogLevel::info, fmt::format("{} is gone: module {} no longer answers", file, name));
  }
  events_.note(ModuleEvents::kRemoved, name, record->serving.entry.generation);
  catalog_.remove(file, keep);
}

void ModuleRollout::revive(const std::string& file) {
  change_ = Generation{};
  change_.entry.file = file;
  revives_ = true;
  const ModuleRecord* record = catalog_.find(file);
  if (record == nullptr) return refuse("its file is gone");
  auto copy = store_->begin_copy(record->last_good ? *record->last_good->copy : *record->serving.copy, file);
  if (!copy) return refuse(copy.error().message);
  try_copy(std::move(*copy));
}

void ModuleRollout::revived(const std::string& file, const Result<void>& outcome) {
  const auto wanted = reviving_.extract(file);
  if (!wanted.empty() && wanted.mapped()) wanted.mapped()(outcome);
}

void ModuleRollout::try_copy(EmptyCopy empty) {
  change_.copy = empty.copy;
  const auto fill = [&]() -> Result<void> {
    close_in_child_();
    return empty.fill().map_error([](const CopyFailure& failure) { return failure.error; });
  };
  auto trial = start_trial(loop_, workers_->shared_plan(), catalog_.trial_set(empty.file, *empty.copy),
                           make_ms_max(policy()), fill);
  if (!trial) return refuse(trial.error().message);
  trial_ = std::move(*trial);
  stage_ = Stage::trying;
  change_until_ms_ = monotonic_ms() + policy().swap_ms;
}

bool ModuleRollout::child_ended(pid_t pid, int status) {
  if (trial_ == nullptr || !trial_->is(pid)) return false;
  const auto result = trial_->result(status);
  trial_.reset();
  if (stage_ == Stage::asking) {
    stage_ = Stage::idle;
    folders_answer_ = true;
  } else {
    tried(result);
  }
  wake();
  return true;
}

void ModuleRollout::tried(const Result<std::string>& result) {
  const auto report = read_trial(result);
  if (!report) return refuse(report.error().message);
  if (!report->problems.empty()) return refuse(report->problems.front().sentence);
  log_warnings(*report, change_.entry.file);
  const auto found = std::find_if(report->modules.begin(), report->modules.end(),
                                  [&](const ModuleEntry& entry) { return entry.file == change_.entry.file; });
  if (found != report->modules.end()) {
    change_.entry = *found;
  } else {  // --module or --without leaves the module out
    change_.entry = entry_of(change_.entry.file, *change_.copy);
  }
  prepare(catalog_.set_with(change_.entry));
}

void ModuleRollout::prepare(ModuleSet set) {
  stage_ = Stage::preparing;
  next_set_ = std::move(set);
  ++number_;
  unanswered_.clear();
  for (const pid_t worker : workers_->pids()) launched(worker);
  ask_next();
}

void ModuleRollout::launched(pid_t worker) {
  if (stage_ != Stage::preparing) return;
  unanswered_.insert(worker);
  wake();
}

// Asks one worker after another. The others serve while one makes handlers, and a module that kills the first
// worker does not reach the second.
void ModuleRollout::ask_next() {
  if (unanswered_.contains(asked_)) return;
  for (const pid_t worker : workers_->pids()) {
    if (!unanswered_.contains(worker)) continue;
    asked_ = worker;
    change_until_ms_ = monotonic_ms() + policy().swap_ms;
    // If the worker cannot take the message, it does not answer in time, which refuses the change.
    workers_->tell(worker, {ControlMessage::prepare, number_, encode_modules(next_set_)});
    return;
  }
}

void ModuleRollout::answered(pid_t worker, const WorkerMessage& message) {
  if (stage_ != Stage::preparing || message.number != number_) return;
  if (message.kind == ControlMessage::refused) refuse(message.text);
  if (message.kind == ControlMessage::prepared) unanswered_.erase(worker);
  wake();
}

void ModuleRollout::ended(pid_t worker, const std::string& module, std::uint32_t generation) {
  if (stage_ != Stage::preparing) return;
  wake();
  unanswered_.erase(worker);
  const ModuleEntry& entry = change_.entry;
  if (change_.copy != nullptr && generation == entry.generation &&
      (module == entry.name || module == entry.file))
    refuse("it ended a worker that prepared it");
}

void ModuleRollout::commit() {
  const bool revives = revives_;
  end_change(ControlMessage::commit);
  in_force_ = std::move(next_set_);
  store_->keep_libraries();
  if (change_.copy == nullptr) return;
  const ModuleEntry entry = change_.entry;
  if (!entry.name.empty()) {
    log(LogLevel::info, fmt::format("module {} serves in {} ({})", entry.name, generation_text(entry),
                                    folders().size() > 1 ? origin_of(entry) : entry.file));
    events_.note(revives ? ModuleEvents::kServesAgain : ModuleEvents::kServes, entry.name, entry.generation);
  }
  refusals_.erase(entry.file);
  later_.erase(entry.file);
  renewed_for_.erase(entry.file);
  catalog_.take(std::exchange(change_, Generation{}), monotonic_ms(), policy());
  if (revives) revived(entry.file, {});
}

// Forgets a change that was tried. A change of the catalog itself, which only did not reach every worker, is
// tried again.
void ModuleRollout::refuse(const std::string& why) {
  const bool decided = stage_ == Stage::preparing && change_.copy == nullptr;
  const bool revives = revives_;
  end_change(ControlMessage::abandon);
  if (decided) {
    log(LogLevel::error, "a change of the modules did not reach all workers, and is sent again: " + why);
    retry_at_ms_ = monotonic_ms() + kRetryMs;
    return;
  }
  const std::string file = std::exchange(change_, Generation{}).entry.file;
  if (!revives && needs_fresh_process(why) && renewed_for_.insert(file).second) {
    log(LogLevel::warning,
        file + ": the workers have no room left for its thread-local storage, and are replaced");
    workers_used_up_ = true;
    return;
  }
  renewed_for_.erase(file);
  const std::string then = tells_of_shortage(why) ? try_later(file, revives) : "";
  if (revives) {
    const std::string sentence =
        fmt::format("{} stays switched off, and its routes answer 503: {}{}", file, why, then);
    if (known_refusal(file, why)) return revived(file, fail(sentence));
    log(LogLevel::error, sentence);
    events_.note(ModuleEvents::kSwitchedOff, module_of(file), 0, why);
    if (catalog_.find(file) != nullptr) catalog_.close(file);
    return revived(file, fail(sentence));
  }
  if (known_refusal(file, why)) return;
  const ModuleRecord* record = catalog_.find(file);
  const std::string goes_on =
      record == nullptr ? "" : fmt::format(", and {} goes on", generation_text(record->serving.entry));
  log(LogLevel::error, fmt::format("{} is not taken{}: {}{}", file, goes_on, why, then));
  events_.note(ModuleEvents::kRefused, module_of(file), 0, why);
}

// A worker that cannot take the commit is replaced by a new one, which begins with the new set. A worker that
// has died is reaped elsewhere.
void ModuleRollout::end_change(ControlMessage how) {
  for (const pid_t worker : stage_ == Stage::preparing ? workers_->pids() : std::vector<pid_t>()) {
    if (!workers_->tell(worker, {how, number_}) && how == ControlMessage::commit && errno == EAGAIN)
      workers_->replace(worker);
  }
  trial_.reset();
  unanswered_.clear();
  asked_ = 0;
  revives_ = false;
  stage_ = Stage::idle;
}

bool ModuleRollout::fault(const std::string& module, std::uint32_t generation) {
  const Verdict verdict = catalog_.fault(module, generation, monotonic_ms(), policy());
  if (verdict == Verdict::unknown || verdict == Verdict::counted) return verdict == Verdict::counted;
  wake();
  // The change at work was made from a set that is no longer valid.
  if (stage_ != Stage::idle) {
    if (change_.copy != nullptr && !revives_) waiting_.insert(change_.entry.file);
    end_change(ControlMessage::abandon);
  }
  const ModuleRecord& record = *catalog_.find_name(module);
  const std::string file = record.serving.entry.file;
  const std::string faults =
      fmt::format("{} faults within {}", policy().faults_max, seconds(policy().fault_window_ms));
  if (verdict == Verdict::go_back) {
    log(LogLevel::error, fmt::format("module {} goes back to {}, its last good one, after {}", module,
                                     generation_text(record.last_good->entry), faults));
    events_.note(ModuleEvents::kGoesBack, module, record.last_good->entry.generation, "after " + faults);
    reviving_.try_emplace(file);
    catalog_.suspend(file);
    return true;
  }
  log(LogLevel::error,
      fmt::format("module {} is switched off after {}: its routes answer 503 until its file changes or "
                  "`sluice module enable {}`",
                  module, faults, module));
  events_.note(ModuleEvents::kSwitchedOff, module, generation, "after " + faults);
  catalog_.close(file);
  return true;
}

// The name of its module; its own if that is not known.
std::string ModuleRollout::module_of(const std::string& file) const {
  const ModuleRecord* record = catalog_.find(file);
  return record == nullptr || record->serving.entry.name.empty() ? file : record->serving.entry.name;
}

void ModuleRollout::enable(const std::string& module, Answer answer) {
  const ModuleRecord* record = catalog_.find_name(module);
  if (record == nullptr) return answer(no_such_module(module));
  const ModuleEntry& entry = record->serving.entry;
  if (!entry.closed) return answer(fail(fmt::format("module {} is not switched off", module)));
  if (reviving_.contains(entry.file)) return answer(change_at_work(module));
  reviving_.emplace(entry.file, std::move(answer));
  wake();
}

Result<void> ModuleRollout::disable(const std::string& module) {
  const ModuleRecord* record = catalog_.find_name(module);
  if (record == nullptr) return no_such_module(module);
  const std::string& file = record->serving.entry.file;
  const bool changes = stage_ != Stage::idle && change_.copy != nullptr && change_.entry.file == file;
  if (changes || reviving_.contains(file)) return change_at_work(module);
  events_.note(ModuleEvents::kSwitchedOff, module, record->serving.entry.generation);
  later_.erase(file);
  catalog_.close(file);
  wake();
  return {};
}

}  // namespace sluice
