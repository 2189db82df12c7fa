#include "server/supervision.h"

#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

#include "base/log.h"
#include "base/process_setup.h"
#include "control/status_text.h"
#include "server/startup_message.h"

namespace sluice {
namespace {

// From one worker in one turn. Other workers, and signals, come next.
constexpr int kMessagesMax = 32;
// Read in one turn.
constexpr int kSignalsMax = 16;
// Children that ended or were stopped, handled in one turn.
constexpr int kEndsMax = 256;
constexpr std::uint64_t kLookForEndsMs = 1'000;
// Each such end switches a module off, and several workers may end in one module.
constexpr unsigned kEndsAtStartMax = 1024;

}  // namespace

Supervisor::~Supervisor() {
  kill_all();
  std::vector<pid_t> workers;
  if (group_ != nullptr)
    for (const WorkerProcess* worker : all_workers()) workers.push_back(worker->pid());
  reload_.reset();
  rollout_.reset();
  reports_ = {};
  // A worker that may not be killed ends by itself, when it sees that its supervisor has gone.
  retired_.clear();
  group_.reset();
  // Waits for these children alone: process 1, and a process that replaced another by exec, have children of
  // others.
  const std::uint64_t until_ms = monotonic_ms() + WorkerProcess::kGoneMs;
  for (const pid_t pid : workers) reap_until(pid, until_ms);
  log_pipe_.close();
}

Result<void> Supervisor::start(const Settings& settings) {
  ignore_idle_signals();
  hold_signal(SIGHUP);
  raise_descriptor_limit();
  set_log(settings.log_level, "supervisor");
  auto rollout = ModuleRollout::create([this] { close_for_child({}); });
  if (!rollout) return Unexpected(rollout.error());
  rollout_ = std::move(*rollout);
  auto plan = make_plan(settings);
  if (!plan) return Unexpected(plan.error());
  auto tried = try_folder(rollout_->store(), **plan);
  if (!tried) return Unexpected(tried.error());
  log_problems(tried->report);
  group_ = std::make_unique<WorkerGroup>(std::move(*plan), tried->report.mounts);
  rollout_->begin(std::move(*tried), *group_);
  auto signals = open_signal_fd({SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD});
  if (!signals) return Unexpected(signals.error());
  signals_ = std::move(*signals);
  const auto launched =
      group_->open_listeners(nullptr)
          .and_then([&] { return log_pipe_.open(); })
          .and_then([&] { return open_control(settings); })
          .and_then([&] { return group_->launch_missing(rollout_->set(), launch(Unusable::closed)); });
  if (!launched) return launched;
  while (!group_->all_ready() && !stopping_) {
    wait_for_events();
    look_after_workers();
    if (hopeless_) return fail("a worker could not start; the log says why");
    respawn_missing();
  }
  serving_ = true;
  if (!stopping_) print_startup_message(*group_);
  return {};
}

Result<void> Supervisor::open_control(const Settings& settings) {
  ControlCommands::Actions actions;
  actions.want_reload = [this] { want_reload(); };
  actions.status = [this] { return status_text(view()); };
  actions.metrics = [this] { return metrics_text(view(), past_); };
  actions.enable = [this](const std::string& module, ModuleRollout::Answer answer) {
    if (reload_ != nullptr) return answer(fail("a reload is at work: try again in a moment"));
    rollout_->enable(module, std::move(answer));
  };
  actions.disable = [this](const std::string& module) { return rollout_->disable(module); };
  return control_.open(settings, std::move(actions));
}

WorkerGroup::Launch Supervisor::launch(Unusable unusable) {
  return {log_pipe_.writing_fd(), unusable,
          [this](const std::vector<int>& own_sockets) { close_for_child(own_sockets); }};
}

// A worker that held another's control socket would keep that one from noticing the supervisor's end. One
// that held another's listening socket would keep the address in use.
void Supervisor::close_for_child(const std::vector<int>& own_sockets) {
  if (group_ != nullptr) group_->close_for_child(own_sockets);
  if (reload_ != nullptr) reload_->close_for_child(own_sockets);
  retired_.clear();
  rollout_->close_for_child();
  reports_.close_for_child();
  signals_.reset();
  log_pipe_.close_reading();
  control_.close_for_child();
}

bool Supervisor::run() {
  while (!stopping_ || !all_workers().empty()) {
    wait_for_events();
    if (stopping_) {
      if (monotonic_ms() >= stop_until_ms_) kill_all();
      continue;
    }
    respawn_missing();
    look_after_workers();
    if (reload_ != nullptr) {
      step_reload();
    } else if (reload_wanted_ &&
               (!rollout_->busy() || (!rollout_->at_work() && monotonic_ms() >= swaps_until_ms_))) {
      begin_reload();
    } else {
      rollout_->step(monotonic_ms());
      if (rollout_->take_workers_used_up() && !std::exchange(reload_wanted_, true)) renewal_ = true;
    }
  }
  log_pipe_.forward();
  return !forced_;
}

std::uint64_t Supervisor::wait_ms() const {
  std::uint64_t until = ~std::uint64_t{0};
  if (stopping_) return Watchdog::kLookMs;
  if (!serving_) {
    until = look_at_ms_;
  } else {
    until = reload_ != nullptr ? reload_->due_ms() : rollout_->due_ms();
    if (group_->any_missing()) until = std::min(until, retry_at_ms_);
    if (reload_wanted_ && reload_ == nullptr && !rollout_->busy()) until = 0;
    until = std::min(until, look_at_ms_);
  }
  const std::uint64_t now = monotonic_ms();
  return until <= now ? 0 : std::min<std::uint64_t>(until - now, INT_MAX);
}

std::vector<WorkerProcess*> Supervisor::all_workers() const {
  std::vector<WorkerProcess*> workers = group_->workers();
  const auto add = [&](const std::vector<WorkerProcess*>& more) {
    workers.insert(workers.end(), more.begin(), more.end());
  };
  if (next_group() != nullptr) add(next_group()->workers());
  add(retired_.workers());
  return workers;
}

WorkerProcess* Supervisor::find_worker(pid_t pid) const {
  const std::vector<WorkerProcess*> workers = all_workers();
  const auto found = std::find_if(workers.begin(), workers.end(),
                                  [pid](const WorkerProcess* worker) { return worker->pid() == pid; });
  return found == workers.end() ? nullptr : *found;
}

void Supervisor::wait_for_events() {
  give_up_those_that_do_not_end();
  const std::vector<WorkerProcess*> workers = all_workers();
  std::vector<pollfd> polled{
      {signals_.get(), POLLIN, 0}, log_pipe_.wanted(), {rollout_->watch_fd(), POLLIN, 0}};
  for (Child* trial : {rollout_->trial(), reload_ == nullptr ? nullptr : reload_->trial()})
    polled.push_back({trial == nullptr || !trial->reports() ? -1 : trial->fd(), POLLIN, 0});
  polled.push_back({control_.fd(), POLLIN, 0});
  const std::size_t first_worker = polled.size();
  for (const WorkerProcess* worker : workers) polled.push_back({worker->control(), POLLIN, 0});
  if (::poll(polled.data(), polled.size(), static_cast<int>(wait_ms())) < 0) return;
  if (polled[1].revents != 0) log_pipe_.forward();
  if (polled[2].revents != 0) rollout_->hear_watch(monotonic_ms());
  if (polled[3].revents != 0) rollout_->trial()->hear();
  if (polled[4].revents != 0) reload_->trial()->hear();
  if (polled[5].revents != 0) control_.serve();
  for (std::size_t i = 0; i < workers.size(); ++i) {
    if (polled[first_worker + i].revents != 0) hear(*workers[i]);
  }
  if (polled[0].revents != 0) on_signals();
}

void Supervisor::hear(WorkerProcess& worker) {
  for (int i = 0; i < kMessagesMax; ++i) {
    const auto message = worker.hear();
    if (!message) return;
    if (group_->find(worker.pid()) != &worker) continue;
    if (message->kind == ControlMessage::ready) worker.tell({ControlMessage::accept});
    rollout_->answered(worker, *message, monotonic_ms());
  }
}

void Supervisor::on_signals() {
  for (int i = 0; i < kSignalsMax; ++i) {
    const int signal = next_signal(signals_.get());
    if (signal == 0) return;
    if (signal == SIGCHLD) {
      reap();
    } else if (signal == SIGHUP) {
      want_reload();
    } else {
      stop();
    }
  }
}

void Supervisor::reap() {
  int status = 0;
  int left = kEndsMax;
  for (pid_t pid = 0; left-- > 0 && (pid = ::waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0;) {
    if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
      on_stop(pid, WIFSTOPPED(status));
      continue;
    }
    log_pipe_.forward();  // the last words of a worker come before its end
    if (WorkerProcess* worker = find_worker(pid)) {
      on_end(*worker, status);
      let_go(*worker);
    } else if (rollout_->trial() != nullptr && rollout_->trial()->pid() == pid) {
      rollout_->trial_ended(status, monotonic_ms());
    } else if (reload_ != nullptr && reload_->trial() != nullptr && reload_->trial()->pid() == pid) {
      reload_->trial_ended(status);
    } else {
      reports_.ended(pid, status);
    }
  }
  if (left < 0) ::raise(SIGCHLD);  // the rest comes in the next turn
}

// Forgets the worker, whether its process still exists or not.
void Supervisor::let_go(WorkerProcess& worker) {
  watchdog_.forget(*group_, worker);
  if (group_->find(worker.pid()) == &worker) {
    group_->take(worker);
  } else if (retired_.find(worker.pid()) == &worker) {
    retired_.remove(worker);
  } else {
    next_group()->take(worker);
    if (!stopping_) refuse_reload("a new worker could not start");
  }
}

// A process that the kernel does not let end would hold up reloads, the end of the server, and its own
// replacement. A worker that may not be killed ends by itself, because its supervisor has closed the
// connection to it.
void Supervisor::give_up_those_that_do_not_end() {
  for (WorkerProcess* worker : all_workers()) {
    if (!worker->does_not_end(monotonic_ms())) continue;
    worker->kill();
    log(LogLevel::error, "worker " + std::to_string(worker->index() + 1) + " (process " +
                             std::to_string(worker->pid()) +
                             ") was killed and does not end: nothing waits for it any more");
    on_end(*worker, SIGKILL);
    return let_go(*worker);  // the rest comes in the next turn
  }
}

void Supervisor::on_stop(pid_t pid, bool stopped) {
  WorkerProcess* worker = group_->find(pid);
  if (worker == nullptr) return;
  worker->set_stopped(stopped);
  if (stopped) watchdog_.stopped(*group_, *worker);
  const std::string who =
      "worker " + std::to_string(worker->index() + 1) + " (process " + std::to_string(pid) + ")";
  log(LogLevel::warning,
      who + (stopped ? " is stopped by a signal: others accept in its place until it goes on" : " goes on"));
}

void Supervisor::on_end(const WorkerProcess& worker, int status) {
  past_.add(worker.index(), worker.stats());
  const bool retired = retired_.find(worker.pid()) == &worker;
  if (stopping_ || worker.dismissed()) return;
  const auto culprit = worker.culprit(status, rollout_->set());
  if (retired && status == 0 && !culprit) return;
  log(LogLevel::error, "worker " + std::to_string(worker.index() + 1) + " (process " +
                           std::to_string(worker.pid()) + ") " + worker.ending(status, culprit));
  const Culprit known = culprit.value_or(Culprit{});
  report(known);
  if (!serving_) return on_end_at_start(worker.held_by_disk() ? known.module : known.blamed());
  const bool serves = group_->find(worker.pid()) == &worker;
  if (serves) rollout_->ended(worker, known.blamed(), known.generation, monotonic_ms());
  const bool counted =
      !known.blamed().empty() && rollout_->fault(known.blamed(), known.generation, monotonic_ms());
  if (serves) pace_restart(worker, counted);
}

// Faults of a module are limited by switching it off. Other ends could go on for ever.
void Supervisor::pace_restart(const WorkerProcess& worker, bool counted) {
  const std::uint64_t wait_ms =
      counted && worker.ready() ? 0 : pace_.ended(worker.ready(), group_->slots(), monotonic_ms());
  retry_at_ms_ = monotonic_ms() + wait_ms;
  if (wait_ms > (worker.ready() ? 0 : RestartPace::kRetryMs))
    log(LogLevel::error, "workers end again and again (" + std::to_string(pace_.streak()) +
                             " times): the next one starts in " + std::to_string(wait_ms / 1000) + " s");
}

// Before all workers are ready, a module has one attempt. After that the workers serve without it.
void Supervisor::on_end_at_start(const std::string& module) {
  hopeless_ = module.empty() || ++ends_at_start_ > kEndsAtStartMax || !rollout_->disable(module);
  if (hopeless_) return;
  log(LogLevel::error,
      "module " + module +
          " is switched off, since a starting worker ended in it: its routes answer 503 until its "
          "file changes or `sluice module enable " +
          module + "`");
  retry_at_ms_ = 0;
}

// Checks the workers, and sets when it has to be done again.
void Supervisor::look_after_workers() {
  const std::uint64_t now_ms = monotonic_ms();
  if (now_ms < look_at_ms_) return;
  look_at_ms_ = now_ms + Watchdog::kLookMs;
  reports_.step(now_ms);
  retired_.step(now_ms);
  if (now_ms >= look_for_ends_at_ms_) {
    look_for_ends_at_ms_ = now_ms + kLookForEndsMs;
    for (WorkerProcess* worker : all_workers()) worker->look_whether_it_ends(now_ms);
  }
  watchdog_.look(*group_, retired_.workers(), monotonic_ns(), group_->plan().settings.policy.hang_ms,
                 [this](const Culprit& culprit) { report(culprit); });
  look_at_ms_ = std::min(look_at_ms_, watchdog_.due_ns() / 1'000'000 + 1);
}

void Supervisor::report(const Culprit& culprit) {
  reports_.begin(culprit.frames, rollout_->copies(), [this, plan = group_->shared_plan()]() -> Result<void> {
    close_for_child({});
    return plan->user ? become(*plan->user) : Result<void>();
  });
}

void Supervisor::stop() {
  if (stopping_) {
    forced_ = true;
    stop_until_ms_ = 0;
    return kill_all();
  }
  stopping_ = true;
  const std::uint32_t drain_ms = group_->plan().settings.timeouts.drain_ms;
  stop_until_ms_ = monotonic_ms() + drain_ms + DrainingWorkers::kDrainGraceMs;
  log(LogLevel::info, "stopping: requests under way may end within " + std::to_string(drain_ms) + " ms");
  control_.server_stops();
  // The workers accept the waiting connections, and close their own sockets.
  group_->close_listeners();
  if (next_group() != nullptr) next_group()->close_listeners();
  for (WorkerProcess* worker : all_workers()) worker->tell({ControlMessage::stop});
}

void Supervisor::respawn_missing() {
  if (!group_->any_missing() || monotonic_ms() < retry_at_ms_) return;
  const auto launched = rollout_->restore_copies().and_then([&] {
    return group_->launch_missing(rollout_->set(), launch(Unusable::closed),
                                  [this](WorkerProcess& worker) { rollout_->launched(worker); });
  });
  if (launched) return;
  log(LogLevel::error, launched.error().message);
  retry_at_ms_ = monotonic_ms() + RestartPace::kRetryMs;
}

void Supervisor::kill_all() {
  if (group_ == nullptr) return;
  for (WorkerProcess* worker : all_workers()) worker->kill();
}

}  // namespace sluice
