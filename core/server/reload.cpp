#include "server/reload.h"

#include <fmt/core.h>
#include <algorithm>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "base/netstring.h"
#include "settings/confinement_support.h"

namespace sluice {
namespace {

// How long the new workers may take to get ready.
constexpr std::uint64_t kReadyMs = 20'000;

// Runs in the child: does everything with the settings that may take long.
std::string rehearse(const ReadSettings& reread) {
  const auto listed = reread()
                          .and_then([](const Settings& settings) { return make_plan(settings); })
                          .and_then([](const PlanPtr& plan) {
                            rehearse_copies(plan->settings.plugins);
                            return find_modules(plan->settings.plugins);
                          });
  return NetstringWriter().put(listed ? "" : listed.error().message).put(heard_names()).take();
}

}  // namespace

void log_problems(const TrialReport& report) {
  log_warnings(report, "");
  for (const ModuleProblem& problem : report.problems) log(LogLevel::error, problem.sentence);
  for (const ModuleEntry& entry : report.modules) {
    const auto is_of_it = [&](const ModuleProblem& problem) { return problem.file == entry.file; };
    if (!entry.closed || std::none_of(report.problems.begin(), report.problems.end(), is_of_it)) continue;
    log(LogLevel::error,
        fmt::format("module {} is switched off: its routes answer 503 until its file changes or `sluice "
                    "module enable {}`",
                    entry.name, entry.name));
  }
  if (std::any_of(report.mounts.begin(), report.mounts.end(),
                  [](const MountReport& mount) { return !mount.filter; }))
    return;
  const std::string warning = "nothing is mounted: every request will be answered with 404";
  log(LogLevel::warning, report.problems.empty()
                             ? warning +
                                   ", until there is a module in the folder of modules; put one there, or name "
                                   "another folder with --plugins"
                             : warning);
}

Result<std::unique_ptr<Reload>> Reload::begin(Server server, Ended ended) {
  std::unique_ptr<Reload> reload(new Reload(std::move(server), std::move(ended)));
  const Server& of = reload->server_;
  auto reading = HeardChild::start(of.launch.loop, [&] {
    of.launch.close_others({});
    return rehearse(of.reread);
  });
  if (!reading) return Unexpected(reading.error());
  reload->trial_ = std::move(*reading);
  reload->until_ms_ = monotonic_ms() + of.current.plan().settings.policy.swap_ms;
  reload->work_.at(reload->until_ms_);
  return reload;
}

// Reads the settings again, in this process.
Result<void> Reload::begin_trial() {
  NetstringReader fields(**heard_);
  const std::string error(fields.next());
  if (!error.empty()) return fail(error);
  const HeardNames names(fields.next());
  const ServingPlan& before = server_.current.plan();
  auto plan =
      server_.reread().and_then([&before](const Settings& settings) { return make_plan(settings, &before); });
  if (!plan) return Unexpected(plan.error());
  plan_ = std::move(*plan);
  const auto confined = check_confinement(plan_->settings);
  if (!confined) return confined;
  for (const std::string& sentence : absent_grants(plan_->settings)) log(LogLevel::warning, sentence);
  const auto restored = server_.rollout.restore_copies();
  if (!restored) return restored;
  server_.rollout.take_copies_made_again();  // its workers are new
  tried_ = server_.rollout.set();
  if (plan_->settings.plugins != server_.current.plan().settings.plugins) {
    auto folder = begin_folder_trial(server_.rollout.store(), *plan_);
    if (!folder) return Unexpected(folder.error());
    tried_ = folder->catalog.set();
    other_folder_ = std::move(*folder);
  }
  const auto fill = [&]() -> Result<void> {
    server_.launch.close_others({});
    if (!other_folder_) return {};
    for (EmptyCopy& copy : other_folder_->empty) {
      const auto filled = copy.fill();
      if (!filled) return Unexpected(filled.error().error);
    }
    return {};
  };
  auto trial = start_trial(server_.launch.loop, plan_, tried_, kNoMakeLimit, fill);
  if (other_folder_) other_folder_->empty.clear();
  if (!trial) return Unexpected(trial.error());
  trial_ = std::move(*trial);
  until_ms_ = monotonic_ms() + plan_->settings.policy.swap_ms;
  return {};
}

bool Reload::child_ended(pid_t pid, int status) {
  if (trial_ == nullptr || !trial_->is(pid)) return false;
  auto result = trial_->result(status);
  trial_.reset();
  if (plan_ == nullptr) {
    heard_ = std::move(result);
  } else {
    report_ = read_trial(result);
  }
  work_.soon();
  return true;
}

void Reload::close_for_child(const std::vector<ListeningSocket>& own_sockets) {
  if (group_ != nullptr) group_->close_for_child(own_sockets);
  if (trial_ != nullptr) trial_->close_for_child();
  plan_.reset();
}

void Reload::work() {
  const auto done = step();
  if (!done || *done) return std::exchange(ended_, {})(done.map([](bool) {}));
  work_.at(until_ms_);
}

// Goes on as far as it can now. True when the new group takes over.
Result<bool> Reload::step() {
  if (monotonic_ms() >= until_ms_) {
    if (plan_ == nullptr)
      return fail("reading the settings takes too long: a name or a folder in them does not answer");
    return fail(group_ == nullptr ? "trying the modules takes too long" : "the new workers do not get ready");
  }
  if (trial_ != nullptr) return false;
  if (group_ != nullptr) {
    if (!group_->all_ready()) return false;
    return group_->start_accepting().map([] { return true; });
  }
  if (plan_ == nullptr) {
    if (!*heard_) return fail("the process that read the settings " + heard_->error().message);
    return begin_trial().map([] { return false; });
  }
  if (!*report_) return Unexpected(report_->error());
  return start_group().map([] { return false; });
}

Result<void> Reload::start_group() {
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
  group_ = std::make_unique<WorkerGroup>(plan_, report.mounts);
  until_ms_ = monotonic_ms() + kReadyMs;
  const auto listening = group_->open_listeners(&server_.current, server_.inherited);
  if (!listening) return listening;
  return group_->launch_missing(given_, server_.launch);
}

std::vector<std::unique_ptr<WorkerProcess>> Reload::abandon() {
  std::vector<std::unique_ptr<WorkerProcess>> ended;
  if (group_ == nullptr) return ended;
  for (WorkerProcess* worker : group_->workers()) {
    worker->dismiss();
    ended.push_back(group_->take(*worker));
  }
  group_->drop_unused_listeners();
  return ended;
}

void Reload::commit(const WorkerGroup& group) {
  if (other_folder_) {
    other_folder_->report = std::move(**report_);
    return server_.rollout.begin(std::move(*other_folder_), group);
  }
  server_.rollout.go_on(**report_, tried_, std::move(given_), group);
}

}  // namespace sluice
