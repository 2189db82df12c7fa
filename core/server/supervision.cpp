#include "server/supervision.h"

#include <sys/wait.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <utility>

#include "base/log.h"
#include "base/process_setup.h"
#include "base/text.h"
#include "control/certificates_text.h"
#include "control/health_text.h"
#include "control/status_json.h"
#include "control/status_text.h"
#include "server/startup_message.h"
#include "settings/kernel_tls_support.h"

namespace sluice {
namespace {

// Read in one turn.
constexpr int kSignalsMax = 16;
// Children that ended or were stopped, handled in one turn.
constexpr int kEndsMax = 256;
// Each such end switches a module off, and several workers may end in one module.
constexpr unsigned kEndsAtStartMax = 1024;
// The question of a worker that may not read the folder that is now its root.
constexpr std::string_view kWantWorkers = "workers";

}  // namespace

Supervisor::Supervisor(EventLoop& loop, TriedSettings tried, const ReadSettings& reread, Service service,
                       std::shared_ptr<const SharedState> state)
    : loop_(loop),
      reread_(reread),
      variables_(service.variables),
      manager_(loop, service.variables),
      inherited_(std::move(service.sockets)),
      take_signals_(loop, [this] { take_signals(); }),
      respawn_(loop, [this] { respawn_missing(); }),
      end_of_lame_duck_(loop, [this] { begin_drain(); }),
      end_of_drain_(loop, [this] { kill_all(); }),
      replace_keys_(loop, [this] { replace_ticket_keys(); }),
      log_pipe_(loop),
      access_logs_(loop, log_pipe_, [this] { close_for_child({}); }),
      seats_(std::move(state)),
      explanations_(loop),
      rollout_(
          loop, std::move(tried.store), [this] { close_for_child({}); }, [this] { return may_swap(); }),
      group_(std::make_unique<WorkerGroup>(std::move(tried.plan), tried.folder.report.mounts)),
      certificates_(loop),
      named_files_watch_(loop, {[this] { close_for_child({}); }, [this] { want_renewal(); }}),
      watchdog_(
          loop,
          [this] {
            return Watchdog::Watched{*group_, retired_.workers()};
          },
          [this](const Culprit& culprit) { report(culprit); }),
      reports_(loop),
      retired_(loop) {
  if (service.handover) takeover_ = std::make_unique<Takeover>(std::move(*service.handover));
  log_problems(tried.folder.report);
  certificates_.take(std::move(tried.folder.report.certificates));
  rollout_.begin(std::move(tried.folder), *group_);
}

Supervisor::~Supervisor() {
  kill_all();
  std::vector<pid_t> workers;
  for (const WorkerProcess* worker : all_workers()) workers.push_back(worker->pid());
  reload_.reset();
  // A worker that may not be killed ends by itself, when it sees that its supervisor has gone.
  retired_.clear();
  group_.reset();
  // Waits for these children alone: process 1, and a process that replaced another by exec, have children of
  // others.
  const std::uint64_t until_ms = monotonic_ms() + WorkerProcess::kGoneMs;
  for (const pid_t pid : workers) reap_until(pid, until_ms);
  access_logs_.finish();
  log_pipe_.close();
}

Result<void> Supervisor::start() {
  // Also loads the kernel's module, before a connection needs it.
  if (const auto warning = kernel_tls_warning(group_->plan())) log(LogLevel::warning, *warning);
  log_confinement(group_->plan().settings, lacking_);
  const auto launched =
      watch_signals()
          .and_then([&] {
            return takeover_ == nullptr ? group_->open_listeners(nullptr, inherited_)
                                        : group_->open_listeners(takeover_->handover(), inherited_);
          })
          .and_then([&] { return log_pipe_.open(); })
          .and_then([&] { return takeover_ == nullptr ? open_control() : Result<void>(); })
          .and_then([&] { return group_->launch_missing(rollout_.set(), launch(Unusable::closed)); });
  if (!launched) return launched;
  watchdog_.begin();
  replace_ticket_keys();
  while (!group_->all_ready() && !stopping_) {
    loop_.turn();
    if (hopeless_) return fail("a worker could not start; the log says why");
  }
  const auto took_place = takeover_ == nullptr || stopping_ ? Result<void>() : take_place();
  if (!took_place) return took_place;
  serving_ = true;
  rollout_.wake();
  if (stopping_) return {};
  const std::string& pid_file = group_->plan().settings.pid_file;
  const auto written = pid_file.empty() ? Result<void>() : pid_file_.write(pid_file);
  if (!written && !is_successor_) return written;
  if (!written) log(LogLevel::error, written.error().message);
  named_files_watch_.serve(group_->shared_plan());
  print_startup_message(*group_);
  manager_.ready(serves());
  return {};
}

void Supervisor::replace_ticket_keys() {
  constexpr std::uint64_t kLookMs = 10 * 60 * 1000;
  const std::uint64_t now_ms = monotonic_ms();
  if (const auto& keys = group_->plan().ticket_keys; keys != nullptr) keys->rotate_if_due(now_ms);
  replace_keys_.at(now_ms + kLookMs);
}

// For the service manager.
std::string Supervisor::serves() const {
  const std::vector<std::string> urls = group_->urls(0);
  std::string text = fmt::format("{} worker{}", group_->slots(), group_->slots() == 1 ? "" : "s");
  if (!urls.empty()) text += fmt::format(" at {}", trimmed(urls.front()));
  if (urls.size() > 1) text += fmt::format(" and {} more", urls.size() - 1);
  return text;
}

Result<void> Supervisor::watch_signals() {
  auto signals = open_signal_fd({SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD});
  if (!signals) return Unexpected(signals.error());
  signals_ = std::move(*signals);
  if (!signals_heard_.begin(loop_, signals_.get(), EPOLLIN, *this))
    return fail_errno("cannot watch signals", errno);
  return {};
}

Result<void> Supervisor::open_control() {
  ControlCommands::Actions actions;
  actions.want_reload = [this] { want_reload(); };
  actions.stop = [this] { stop(); };
  actions.status = [this] { return status_text(view()); };
  actions.status_json = [this] { return status_in_json(); };
  actions.metrics = [this] { return metrics_text(view(), past_); };
  actions.certificates = [this] { return certificates_text(view().certificates, std::time(nullptr)); };
  actions.certificates_json = [this] { return certificates_json(view().certificates, std::time(nullptr)); };
  questions_.add("status", actions.status_json);
  questions_.add("metrics", actions.metrics);
  questions_.add("health", [this] { return health_text(view()); });
  questions_.add(kWantWorkers, [this] { return named_files_watch_.look_soon() ? "soon\n" : "no\n"; });
  actions.enable = [this](const std::string& module, ModuleRollout::Answer answer) {
    if (reload_ != nullptr) return answer(fail("a reload is at work: try again in a moment"));
    rollout_.enable(module, std::move(answer));
  };
  actions.disable = [this](const std::string& module) { return rollout_.disable(module); };
  actions.explain = [this](const std::string& query, Explanations::Answer answer) {
    explanations_.ask(query, *group_, std::move(answer));
  };
  return control_.open(loop_, group_->plan().settings, std::move(actions));
}

std::string Supervisor::status_in_json() const {
  return status_json(view(), past_, std::time(nullptr));
}

WorkerGroup::Launch Supervisor::launch(Unusable unusable) {
  return {loop_,
          *this,
          log_pipe_.writing_fd(),
          &access_logs_,
          &seats_,
          unusable,
          [this](const std::vector<ListeningSocket>& own_sockets) { close_for_child(own_sockets); },
          rollout_.store().path()};
}

// A worker that held another's control socket would keep that one from noticing the supervisor's end. One
// that held another's listening socket would keep the address in use.
void Supervisor::close_for_child(const std::vector<ListeningSocket>& own_sockets) {
  loop_.close_for_child();  // first: else ending a registration would end the supervisor's
  group_->close_for_child(own_sockets);
  if (reload_ != nullptr) reload_->close_for_child(own_sockets);
  if (takeover_ != nullptr) takeover_->close_for_child();
  if (upgrade_ != nullptr) upgrade_->close_for_child();
  retired_.clear();
  rollout_.close_for_child();
  reports_.close_for_child();
  named_files_watch_.close_for_child();
  manager_.close_for_child();
  inherited_.close_for_child();
  signals_.reset();
  log_pipe_.close_reading();
  access_logs_.close_for_child();
  control_.close_for_child();
  questions_.forget_texts();
}

bool Supervisor::run() {
  while (!stopping_ || !all_workers().empty()) loop_.turn();
  access_logs_.finish();
  log_pipe_.forward();
  control_.server_ended();
  return !forced_;
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

void Supervisor::heard(WorkerProcess& worker, const WorkerMessage& message) {
  if (message.kind == ControlMessage::ask && !worker.reads_messages()) return;
  if (message.kind == ControlMessage::ask) {
    const auto tell = [&worker](const WorkerMessage& answer, int fd) { worker.tell(answer, fd); };
    if (group_->find(worker.pid()) != &worker && message.text == kWantWorkers) return;
    return questions_.asked(message, worker.question_pace(), monotonic_ms(), tell);
  }
  if (message.kind == ControlMessage::explained) return explanations_.explained(worker.pid(), message);
  if (group_->find(worker.pid()) == &worker) {
    const bool may_accept = takeover_ == nullptr || takeover_->may_serve();
    if (message.kind == ControlMessage::ready && leaving_) worker.tell({ControlMessage::leave});
    if (message.kind == ControlMessage::ready && may_accept) worker.tell({ControlMessage::accept});
    rollout_.answered(worker.pid(), message);
  } else if (reload_ != nullptr) {
    reload_->heard();
  }
}

void Supervisor::take_signals() {
  for (int i = 0; i < kSignalsMax; ++i) {
    const int signal = next_signal(signals_.get());
    if (signal == 0) return;
    if (signal == SIGCHLD) {
      reap();
    } else if (signal == SIGHUP) {
      want_reload();
    } else if (signal == SIGUSR1) {
      access_logs_.reopen();
    } else if (signal == SIGUSR2) {
      begin_upgrade();
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
    seats_.ended(pid);
    log_pipe_.forward();  // the last words of a worker come before its end
    if (WorkerProcess* worker = find_worker(pid)) {
      on_end(*worker, status);
      let_go(*worker);
    } else if (!(upgrade_ != nullptr && upgrade_->child_ended(pid, status)) && !access_logs_.child_ended(pid) &&
               !rollout_.child_ended(pid, status) && !named_files_watch_.child_ended(pid, status) &&
               (reload_ == nullptr || !reload_->child_ended(pid, status))) {
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
    respawn_.at(retry_at_ms_);
  } else if (retired_.find(worker.pid()) == &worker) {
    retired_.remove(worker);
  } else {
    next_group()->take(worker);
    refuse_reload("a new worker could not start");
  }
}

// A process that the kernel does not let end would hold up reloads, the end of the server, and its own
// replacement. A worker that may not be killed ends by itself, because its supervisor closes the connection to
// it.
void Supervisor::does_not_end(WorkerProcess& worker) {
  worker.kill();
  log(LogLevel::error,
      fmt::format("worker {} (process {}) was killed and does not end: nothing waits for it any more",
                  worker.index() + 1, worker.pid()));
  on_end(worker, SIGKILL);
  seats_.keep_until_end(worker.pid(), worker.take_seat());
  let_go(worker);
}

void Supervisor::on_stop(pid_t pid, bool stopped) {
  WorkerProcess* worker = group_->find(pid);
  if (worker == nullptr) return;
  worker->set_stopped(stopped);
  if (stopped) watchdog_.stopped(*group_, *worker);
  const std::string who = fmt::format("worker {} (process {})", worker->index() + 1, pid);
  log(LogLevel::warning,
      who + (stopped ? " is stopped by a signal: others accept in its place until it goes on" : " goes on"));
}

void Supervisor::on_end(const WorkerProcess& worker, int status) {
  past_.add(worker.index(), worker.stats());
  explanations_.worker_ended(worker.pid());
  const bool retired = retired_.find(worker.pid()) == &worker;
  if (stopping_ || worker.dismissed()) return;
  const auto culprit = worker.culprit(status, rollout_.set());
  if (retired && status == 0 && !culprit) return;
  log(LogLevel::error, fmt::format("worker {} (process {}) {}", worker.index() + 1, worker.pid(),
                                   worker.ending(status, culprit)));
  const Culprit known = culprit.value_or(Culprit{});
  report(known);
  if (!serving_) return on_end_at_start(worker.held_by_disk() ? known.module : known.blamed());
  const bool serves = group_->find(worker.pid()) == &worker;
  if (serves) rollout_.ended(worker.pid(), known.blamed(), known.generation);
  const bool counted = !known.blamed().empty() && rollout_.fault(known.blamed(), known.generation);
  if (serves) pace_restart(worker, counted);
}

// Faults of a module are limited by switching it off. Other ends could go on for ever.
void Supervisor::pace_restart(const WorkerProcess& worker, bool counted) {
  const std::uint64_t wait_ms =
      counted && worker.ready() ? 0 : pace_.ended(worker.ready(), group_->slots(), monotonic_ms());
  retry_at_ms_ = monotonic_ms() + wait_ms;
  if (wait_ms > (worker.ready() ? 0 : RestartPace::kRetryMs))
    log(LogLevel::error, fmt::format("workers end again and again ({} times): the next one starts in {} s",
                                     pace_.streak(), wait_ms / 1000));
}

// Before all workers are ready, a module has one attempt. After that the workers serve without it.
void Supervisor::on_end_at_start(const std::string& module) {
  hopeless_ = module.empty() || ++ends_at_start_ > kEndsAtStartMax || !rollout_.disable(module);
  if (hopeless_) return;
  log(LogLevel::error,
      fmt::format("module {} is switched off, since a starting worker ended in it: its routes answer 503 "
                  "until its file changes or `sluice module enable {}`",
                  module, module));
  retry_at_ms_ = 0;
}

void Supervisor::report(const Culprit& culprit) {
  reports_.begin(culprit.frames, rollout_.copies(), [this, plan = group_->shared_plan()]() -> Result<void> {
    close_for_child({});
    return plan->user ? become(*plan->user) : Result<void>();
  });
}

void Supervisor::respawn_missing() {
  if (stopping_ || !group_->any_missing()) return;
  const std::uint64_t now_ms = monotonic_ms();
  if (now_ms < retry_at_ms_) return respawn_.at(retry_at_ms_);
  respawn_.at(now_ms + RestartPace::kRetryMs);  // also if this ends early, for want of memory
  const auto restored = rollout_.restore_copies();
  const bool others_confined = files_are_confined(group_->plan().settings) && !group_->workers().empty();
  if (rollout_.take_copies_made_again() && others_confined) want_renewal();
  const auto launched = restored.and_then([&] {
    return group_->launch_missing(rollout_.set(), launch(Unusable::closed),
                                  [this](WorkerProcess& worker) { rollout_.launched(worker.pid()); });
  });
  if (launched) return;
  if (unlaunched_.is_due(now_ms))
    unlaunched_.say(LogLevel::error,
                    fmt::format("{}; it is tried again every second{}", launched.error().message,
                                group_->workers().empty() ? "" : ", and others serve meanwhile"));
  retry_at_ms_ = monotonic_ms() + RestartPace::kRetryMs;
  respawn_.at(retry_at_ms_);
}

}  // namespace sluice
