#include "reload.h"

#include <algorithm>

#include "log.h"
#include "monotonic_clock.h"

namespace sluice {
namespace {

// For the new workers to get ready.
constexpr std::uint64_t kReadyMs = 20'000;

}  // namespace

void log_problems(const TrialReport& report) {
  log_warnings(report, "");
  for (const ModuleProblem& problem : report.problems) log(LogLevel::error, problem.sentence);
  if (!report.mounts.empty()) return;
  const std::string warning = "nothing is mounted: every request will be answered with 404";
  log(LogLevel::warning, report.problems.empty()
                             ? warning +
                                   ", until there is a module in the folder of modules; put one there, or name "
                                   "another folder with --plugins"
                             : warning);
}

Result<std::unique_ptr<Reload>> Reload::begin(const Settings& settings, ModuleKeeper& keeper,
                                              const Crew& current, const CloseInChild& close_in_child) {
  std::unique_ptr<Reload> reload(new Reload);
  auto plan = make_plan(settings);
  if (!plan) return Unexpected(plan.error());
  reload->plan_ = std::move(*plan);
  reload->tried_ = keeper.set();
  if (settings.plugins != current.plan().settings.plugins) {
    auto folder = keeper.read_folder(*reload->plan_);
    if (!folder) return Unexpected(folder.error());
    reload->tried_ = folder->catalog.set();
    reload->other_folder_ = std::move(*folder);
  }
  auto trial = start_trial(reload->plan_, reload->tried_, kNoMakeLimit, [&]() -> Result<void> {
    close_in_child();
    return {};
  });
  if (!trial) return Unexpected(trial.error());
  reload->trial_ = std::move(*trial);
  reload->until_ms_ = monotonic_ms() + settings.care.swap_ms;
  return reload;
}

void Reload::trial_ended(int status) {
  report_ = read_trial(trial_->result(status));
  trial_.reset();
}

void Reload::close_for_child(const std::vector<int>& own_sockets) {
  if (crew_ != nullptr) crew_->close_for_child(own_sockets);
  if (trial_ != nullptr) trial_->close_for_child();
  plan_.reset();
}

std::uint64_t Reload::due_ms() const {
  if (crew_ == nullptr && report_) return 0;
  return until_ms_;
}

Result<bool> Reload::step(const Crew& current, const Crew::Launch& launch) {
  if (monotonic_ms() >= until_ms_) {
    return fail(crew_ == nullptr ? "trying the modules takes too long" : "the new workers do not get ready");
  }
  if (!report_) return false;
  if (crew_ != nullptr) {
    if (!crew_->all_ready()) return false;
    return crew_->start_accepting().map([] { return true; });
  }
  if (!*report_) return Unexpected(report_->error());
  TrialReport& report = **report_;
  if (other_folder_) {
    const auto& unread = other_folder_->report.problems;
    report.problems.insert(report.problems.end(), unread.begin(), unread.end());
  }
  log_problems(report);
  given_ = tried_;
  for (const ModuleProblem& problem : report.problems)
    std::erase_if(given_, [&](const ModuleEntry& entry) { return entry.file == problem.file; });
  for (ModuleEntry& entry : given_) {
    const auto tried = std::find_if(report.modules.begin(), report.modules.end(),
                                    [&](const ModuleEntry& other) { return other.file == entry.file; });
    if (tried != report.modules.end()) entry = *tried;
  }
  crew_ = std::make_unique<Crew>(plan_, report.mounts);
  until_ms_ = monotonic_ms() + kReadyMs;
  const auto listening = crew_->open_listeners(&current);
  if (!listening) return Unexpected(listening.error());
  const auto launched = crew_->launch_missing(given_, launch);
  if (!launched) return Unexpected(launched.error());
  return false;
}

std::vector<std::unique_ptr<WorkerProcess>> Reload::abandon() {
  std::vector<std::unique_ptr<WorkerProcess>> ended;
  if (crew_ == nullptr) return ended;
  for (WorkerProcess* worker : crew_->workers()) {
    worker->dismiss();
    ended.push_back(crew_->take(*worker));
  }
  crew_->drop_unused_listeners();
  return ended;
}

void Reload::commit(ModuleKeeper& keeper, const Crew& crew) {
  if (other_folder_) {
    other_folder_->report = std::move(**report_);
    return keeper.begin(std::move(*other_folder_), crew);
  }
  keeper.go_on(**report_, tried_, std::move(given_), crew);
}

}  // namespace sluice
