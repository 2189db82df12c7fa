#include "supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "control_server.h"
#include "control_socket.h"
#include "listener.h"
#include "log.h"
#include "metrics_text.h"
#include "monotonic_clock.h"
#include "serving_plan.h"
#include "status_text.h"
#include "trial.h"
#include "worker_process.h"

namespace sluice {
namespace {

using PlanPtr = std::shared_ptr<const ServingPlan>;

// How long after the drain limit a worker may take to end by itself.
constexpr std::uint64_t kDrainGraceMs = 3'000;
// For the workers of a reload to get ready.
constexpr std::uint64_t kReadyMs = 20'000;
// Between two attempts of a worker that cannot start.
constexpr std::uint64_t kRetryMs = 1'000;
// A pipe that poll(2) calls writable takes this much without blocking.
constexpr std::size_t kLogChunk = PIPE_BUF;

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

using Listeners = std::vector<std::shared_ptr<ListenGroup>>;

// The workers of one configuration, and what they accept from.
struct Generation {
  PlanPtr plan;
  Listeners listeners;
  std::vector<MountReport> mounts;
  std::vector<std::unique_ptr<WorkerProcess>> workers;  // null: to be started again

  bool all_ready() const {
    return std::all_of(workers.begin(), workers.end(),
                       [](const auto& worker) { return worker && worker->ready(); });
  }
};

class Supervisor {
 public:
  explicit Supervisor(const ReadSettings& reread) : reread_(reread) {}
  ~Supervisor();

  Result<void> start(const Settings& settings);
  int run();

 private:
  Result<void> open_signals_and_log();
  Result<void> open_control(const Settings& settings);
  Result<TrialReport> plan_generation(const Settings& settings, Generation& generation);
  Result<void> open_listeners(Generation& generation) const;
  Result<void> launch(Generation& generation, unsigned index);
  Result<void> launch_all(Generation& generation);
  void close_for_child(const std::vector<int>& own_sockets);
  void announce(const TrialReport& report) const;

  void wait_for_events();
  std::uint64_t wait_ms() const;
  void on_signals();
  void reap();
  bool reap_from(Generation& generation, pid_t pid, int status);
  void forward_log();

  void reload();
  void refuse_reload(const std::string& why);
  void end_reload(const ControlAnswer& answer);
  void abandon_reload(const std::string& why);
  void commit_reload();
  void stop();
  void respawn_missing();
  bool any_left() const;
  ServerView view() const;
  void kill_all() const;

  const ReadSettings& reread_;
  std::unique_ptr<ModuleStore> store_;
  UniqueFd signals_;
  UniqueFd log_reading_;
  UniqueFd log_writing_;
  PastCounts past_;
  std::unique_ptr<ControlServer> control_;     // null when there is none
  std::vector<ControlTicket> reload_askers_;   // wait for a reload that has not begun
  std::vector<ControlTicket> reload_waiters_;  // wait for the one that has
  Generation current_;
  std::unique_ptr<Generation> next_;                      // of a reload, until all of its workers are ready
  std::vector<std::unique_ptr<WorkerProcess>> retiring_;  // of what a reload has replaced
  bool log_stuck_ = false;                                // nobody reads stderr
  bool reload_wanted_ = false;
  bool stopping_ = false;
  bool forced_ = false;
  std::uint64_t stop_until_ms_ = 0;
  std::uint64_t reload_until_ms_ = 0;
  std::uint64_t retry_at_ms_ = 0;
  std::uint64_t started_ms_ = monotonic_ms();
};

Supervisor::~Supervisor() {
  kill_all();
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  set_log_fd(STDERR_FILENO);
  forward_log();
}

Result<void> Supervisor::start(const Settings& settings) {
  ::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  set_log(settings.log_level, "supervisor");
  auto store = ModuleStore::create();
  if (!store) return Unexpected(store.error());
  store_ = std::move(*store);
  const auto report = plan_generation(settings, current_);
  if (!report) return Unexpected(report.error());
  const auto listening = open_listeners(current_);
  if (!listening) return listening;
  const auto opened = open_signals_and_log();
  if (!opened) return opened;
  const auto controlled = open_control(settings);
  if (!controlled) return controlled;
  const auto launched = launch_all(current_);
  if (!launched) return launched;
  while (!current_.all_ready() && !stopping_) {
    wait_for_events();
    if (std::any_of(current_.workers.begin(), current_.workers.end(),
                    [](const auto& worker) { return !worker; })) {
      return fail("a worker could not start; the log says why");
    }
  }
  if (!stopping_) announce(*report);
  return {};
}

Result<void> Supervisor::open_signals_and_log() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&wanted, signal);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  signals_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  int ends[2];
  if (!signals_ || ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno("cannot watch signals", errno);
  log_reading_.reset(ends[0]);
  log_writing_.reset(ends[1]);
  set_log_fd(log_writing_.get());  // so that a terminal or collector that does not read holds up nobody
  return {};
}

// One that nobody asked for by name is no reason not to serve.
Result<void> Supervisor::open_control(const Settings& settings) {
  if (settings.control == kNoControl) return {};
  const bool named = settings.control != kOwnControl;
  const std::string path =
      named ? settings.control : settings.control_folder + "/" + std::to_string(::getpid()) + ".sock";
  const auto ready = named ? Result<void>() : prepare_control_folder(settings.control_folder);
  if (ready && !named) running_servers(settings.control_folder);  // removes what killed ones have left
  const auto later = [this](ControlTicket ticket, const std::string&) -> std::optional<ControlAnswer> {
    if (stopping_) return fail("the server is stopping");
    reload_wanted_ = true;
    reload_askers_.push_back(ticket);
    return std::nullopt;
  };
  const std::vector<ControlCommand> commands{
      {"reload", later},
      {"status", [this](ControlTicket, const std::string&) { return status_text(view()); }},
      {"metrics", [this](ControlTicket, const std::string&) { return metrics_text(view(), past_); }},
  };
  auto opened = ready.and_then([&] { return ControlServer::open(path, commands); });
  if (opened) {
    control_ = std::move(*opened);
    return {};
  }
  if (named) return Unexpected(opened.error());
  log(LogLevel::warning, "there is no control socket, so sluice status and the like cannot ask this server: " +
                             opened.error().message);
  return {};
}

Result<TrialReport> Supervisor::plan_generation(const Settings& settings, Generation& generation) {
  auto plan = make_plan(settings, *store_);
  if (!plan) return Unexpected(plan.error());
  auto report = try_plan(**plan);
  if (!report) return report;
  for (const std::string& problem : report->problems) log(LogLevel::error, problem);
  if (report->mounts.empty())
    log(LogLevel::warning, "nothing is mounted: every request will be answered with 404");
  generation.plan = std::move(*plan);
  generation.mounts = report->mounts;
  generation.workers.resize(generation.plan->workers);
  return report;
}

// Addresses that are listened on already keep their sockets and what waits in them.
Result<void> Supervisor::open_listeners(Generation& generation) const {
  for (const ListenAddress& address : generation.plan->settings.listen) {
    const auto kept = std::find_if(current_.listeners.begin(), current_.listeners.end(),
                                   [&](const auto& group) { return group->text() == address.text; });
    if (kept != current_.listeners.end()) {
      const auto provided = (*kept)->provide(generation.plan->workers);
      if (!provided) return provided;
      generation.listeners.push_back(*kept);
      continue;
    }
    auto opened = ListenGroup::open(address, generation.plan->workers);
    if (!opened) return Unexpected(opened.error());
    generation.listeners.push_back(std::move(*opened));
  }
  return {};
}

Result<void> Supervisor::launch(Generation& generation, unsigned index) {
  WorkerProcess::Start start;
  start.plan = generation.plan;
  start.index = index;
  for (const auto& group : generation.listeners) {
    for (const int socket : group->sockets_of(index, generation.plan->workers)) start.sockets.push_back(socket);
  }
  start.log_fd = log_writing_.get();
  start.close_others = [this](const std::vector<int>& own_sockets) { close_for_child(own_sockets); };
  auto started = WorkerProcess::start(start);
  if (!started) return Unexpected(started.error());
  generation.workers[index] = std::move(*started);
  return {};
}

Result<void> Supervisor::launch_all(Generation& generation) {
  for (unsigned index = 0; index < generation.plan->workers; ++index) {
    const auto launched = launch(generation, index);
    if (!launched) return launched;
  }
  return {};
}

// A worker that held another's control socket would keep it from noticing the supervisor's end; one that held
// another's listening socket would keep its address in use.
void Supervisor::close_for_child(const std::vector<int>& own_sockets) {
  for (const auto& group : current_.listeners) group->close_all_but(own_sockets);
  current_.workers.clear();
  if (next_ != nullptr) {
    for (const auto& group : next_->listeners) group->close_all_but(own_sockets);
    next_->workers.clear();
  }
  retiring_.clear();
  signals_.reset();
  log_reading_.reset();
  if (control_ != nullptr) control_->close_for_child();
}

void Supervisor::announce(const TrialReport& report) const {
  char resolved[PATH_MAX];
  const char* root = ::realpath(current_.plan->settings.root.c_str(), resolved);
  std::size_t widest = 0;
  for (const MountReport& mount : report.mounts) widest = std::max(widest, mount.prefix.size());
  std::printf("sluice serves %s\n", root == nullptr ? current_.plan->settings.root.c_str() : root);
  for (const auto& group : current_.listeners) {
    const std::string url = group->url();
    if (report.mounts.empty()) std::printf("  %s\n", url.c_str());
    for (const MountReport& mount : report.mounts) {
      std::printf("  %s%-*s  by %s\n", url.c_str(), static_cast<int>(widest), mount.prefix.c_str(),
                  mount.module.c_str());
    }
  }
  std::printf("%u worker%s; stop with Ctrl-C, reload with kill -HUP %d\n", current_.plan->workers,
              current_.plan->workers == 1 ? "" : "s", ::getpid());
  std::fflush(stdout);
}

int Supervisor::run() {
  while (any_left() || !stopping_) {
    wait_for_events();
    if (next_ != nullptr && next_->all_ready()) commit_reload();
    if (next_ != nullptr && monotonic_ms() >= reload_until_ms_)
      abandon_reload("the new workers do not get ready");
    if (!stopping_) respawn_missing();
    if (reload_wanted_ && next_ == nullptr && !stopping_) reload();
    if (stopping_ && monotonic_ms() >= stop_until_ms_) kill_all();
  }
  forward_log();
  return forced_ ? kExitForced : kExitFine;
}

std::uint64_t Supervisor::wait_ms() const {
  std::uint64_t until = ~std::uint64_t{0};
  if (stopping_) until = stop_until_ms_;
  if (next_ != nullptr) until = std::min(until, reload_until_ms_);
  const bool missing =
      std::any_of(current_.workers.begin(), current_.workers.end(), [](const auto& worker) { return !worker; });
  if (!stopping_ && missing) until = std::min(until, retry_at_ms_);
  const std::uint64_t now = monotonic_ms();
  return until <= now ? 0 : std::min<std::uint64_t>(until - now, INT_MAX);
}

void Supervisor::wait_for_events() {
  std::vector<WorkerProcess*> workers;
  for (auto& worker : current_.workers) workers.push_back(worker.get());
  if (next_ != nullptr) {
    for (auto& worker : next_->workers) workers.push_back(worker.get());
  }
  const pollfd log = log_stuck_ ? pollfd{STDERR_FILENO, POLLOUT, 0} : pollfd{log_reading_.get(), POLLIN, 0};
  std::vector<pollfd> polled{{signals_.get(), POLLIN, 0}, log};
  const std::size_t first_worker = polled.size() + 1;
  polled.push_back({control_ == nullptr ? -1 : control_->fd(), POLLIN, 0});
  for (const WorkerProcess* worker : workers) {
    // Once it is ready it has nothing more to say; its end comes as a signal.
    polled.push_back({worker == nullptr || worker->ready() ? -1 : worker->control(), POLLIN, 0});
  }
  if (::poll(polled.data(), polled.size(), static_cast<int>(wait_ms())) < 0) return;
  if (polled[1].revents != 0) forward_log();
  for (std::size_t i = 0; i < workers.size(); ++i) {
    if ((polled[i + first_worker].revents & POLLIN) != 0) workers[i]->hear();
  }
  if ((polled[first_worker - 1].revents & POLLIN) != 0) control_->serve();
  if ((polled[0].revents & POLLIN) != 0) on_signals();
}

void Supervisor::on_signals() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof(signal)) == static_cast<ssize_t>(sizeof(signal))) {
    switch (static_cast<int>(signal.ssi_signo)) {
      case SIGCHLD:
        reap();
        break;
      case SIGHUP:
        reload_wanted_ = true;
        break;
      default:
        stop();
    }
  }
}

void Supervisor::reap() {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    forward_log();  // the worker's last words come before its end
    if (reap_from(current_, pid, status)) continue;
    if (next_ != nullptr && reap_from(*next_, pid, status)) {
      abandon_reload("a new worker could not start");
      continue;
    }
    std::erase_if(retiring_, [&](const auto& worker) {
      if (worker->pid() != pid) return false;
      past_.add(worker->index(), worker->stats());
      return true;
    });
  }
}

bool Supervisor::reap_from(Generation& generation, pid_t pid, int status) {
  const auto found = std::find_if(generation.workers.begin(), generation.workers.end(),
                                  [pid](const auto& worker) { return worker && worker->pid() == pid; });
  if (found == generation.workers.end()) return false;
  const WorkerProcess& worker = **found;
  if (!stopping_) {
    log(LogLevel::error, "worker " + std::to_string(worker.index() + 1) + " (process " + std::to_string(pid) +
                             ") " + worker.ending(status));
    // One that could not even start would be started again and again without a pause.
    retry_at_ms_ = worker.ready() ? 0 : monotonic_ms() + kRetryMs;
  }
  past_.add(worker.index(), worker.stats());
  found->reset();
  return true;
}

// While the terminal or collector does not read, lines stay in the pipe, and workers drop theirs when it is
// full.
void Supervisor::forward_log() {
  char buffer[kLogChunk];
  for (;;) {
    pollfd room{STDERR_FILENO, POLLOUT, 0};
    log_stuck_ = ::poll(&room, 1, 0) == 0;
    if (log_stuck_) return;
    const ssize_t got = ::read(log_reading_.get(), buffer, sizeof(buffer));
    if (got <= 0) return;
    for (ssize_t done = 0; done < got;) {
      const ssize_t written = ::write(STDERR_FILENO, buffer + done, static_cast<std::size_t>(got - done));
      if (written < 0 && errno != EINTR) break;
      if (written > 0) done += written;
    }
  }
}

void Supervisor::reload() {
  reload_wanted_ = false;
  reload_waiters_ = std::exchange(reload_askers_, {});
  auto generation = std::make_unique<Generation>();
  const auto refuse = [this](const Error& error) { refuse_reload(error.message); };
  const auto settings = reread_();
  if (!settings) return refuse(settings.error());
  const auto report = plan_generation(*settings, *generation);
  if (!report) return refuse(report.error());
  const auto listening = open_listeners(*generation);
  if (!listening) return refuse(listening.error());
  next_ = std::move(generation);
  const auto launched = launch_all(*next_);
  reload_until_ms_ = monotonic_ms() + kReadyMs;
  if (!launched) abandon_reload(launched.error().message);
}

void Supervisor::refuse_reload(const std::string& why) {
  const std::string sentence = "not reloaded, and everything goes on as it was: " + why;
  log(LogLevel::error, sentence);
  end_reload(fail(sentence));
}

void Supervisor::end_reload(const ControlAnswer& answer) {
  for (const ControlTicket ticket : std::exchange(reload_waiters_, {})) control_->answer(ticket, answer);
}

void Supervisor::abandon_reload(const std::string& why) {
  refuse_reload(why);
  for (auto& worker : next_->workers) {
    if (worker == nullptr) continue;
    ::kill(worker->pid(), SIGKILL);
    retiring_.push_back(std::move(worker));
  }
  next_.reset();
}

void Supervisor::commit_reload() {
  // First the last references to sockets that are no longer wanted, then the workers that still accept from
  // them.
  Generation old = std::move(current_);
  current_ = std::move(*next_);
  next_.reset();
  set_log(current_.plan->settings.log_level, "supervisor");
  old.listeners.clear();
  for (auto& worker : old.workers) {
    if (worker == nullptr) continue;
    worker->tell(ControlMessage::retire);
    retiring_.push_back(std::move(worker));
  }
  log(LogLevel::info, "reloaded");
  end_reload("reloaded\n");
}

void Supervisor::stop() {
  const auto tell_all = [](const auto& workers) {
    for (const auto& worker : workers) {
      if (worker != nullptr) worker->tell(ControlMessage::stop);
    }
  };
  if (stopping_) {
    forced_ = true;
    kill_all();
    return;
  }
  stopping_ = true;
  stop_until_ms_ = monotonic_ms() + current_.plan->settings.timeouts.drain_ms + kDrainGraceMs;
  log(LogLevel::info, "stopping: what is in flight may end within " +
                          std::to_string(current_.plan->settings.timeouts.drain_ms) + " ms");
  // The workers accept what waits, and close theirs.
  current_.listeners.clear();
  if (next_ != nullptr) next_->listeners.clear();
  tell_all(current_.workers);
  if (next_ != nullptr) tell_all(next_->workers);
  tell_all(retiring_);
}

void Supervisor::respawn_missing() {
  if (monotonic_ms() < retry_at_ms_) return;
  for (unsigned index = 0; index < current_.workers.size(); ++index) {
    if (current_.workers[index] != nullptr) continue;
    const auto launched = launch(current_, index);
    if (!launched) {
      log(LogLevel::error, launched.error().message);
      retry_at_ms_ = monotonic_ms() + kRetryMs;
      return;
    }
  }
}

bool Supervisor::any_left() const {
  const auto lives = [](const auto& worker) { return worker != nullptr; };
  return !retiring_.empty() || std::any_of(current_.workers.begin(), current_.workers.end(), lives) ||
         (next_ != nullptr && std::any_of(next_->workers.begin(), next_->workers.end(), lives));
}

ServerView Supervisor::view() const {
  const std::uint64_t now = monotonic_ms();
  ServerView view{::getpid(), now - started_ms_, {}, current_.mounts, {}};
  for (const auto& group : current_.listeners) view.listening.push_back(group->url());
  const auto add = [&](const auto& workers, std::string_view state) {
    for (const auto& worker : workers) {
      if (worker == nullptr) continue;
      view.workers.push_back({worker->index(), worker->pid(), now - worker->started_ms(),
                              worker->ready() ? state : "starting", &worker->stats()});
    }
  };
  add(current_.workers, "serving");
  if (next_ != nullptr) add(next_->workers, "ready");
  add(retiring_, "ending");
  return view;
}

void Supervisor::kill_all() const {
  const auto kill_each = [](const auto& workers) {
    for (const auto& worker : workers) {
      if (worker != nullptr) ::kill(worker->pid(), SIGKILL);
    }
  };
  kill_each(current_.workers);
  if (next_ != nullptr) kill_each(next_->workers);
  kill_each(retiring_);
}

}  // namespace

int supervise(const Settings& settings, const ReadSettings& reread) {
  const auto served = [&]() -> Result<int> {
    Supervisor supervisor(reread);
    const auto started = supervisor.start(settings);
    if (!started) return Unexpected(started.error());
    return supervisor.run();
  }();
  if (served) return *served;
  std::fprintf(stderr, "sluice: %s\n", served.error().message.c_str());
  return kExitCouldNotStart;
}

Result<std::string> check(const Settings& settings) {
  auto store = ModuleStore::create();
  if (!store) return Unexpected(store.error());
  const auto plan = make_plan(settings, **store);
  if (!plan) return Unexpected(plan.error());
  const auto report = try_plan(**plan);
  if (!report) return Unexpected(report.error());
  if (!report->problems.empty()) {
    std::string problems;
    for (const std::string& problem : report->problems) problems += (problems.empty() ? "" : "\n") + problem;
    return fail(problems);
  }
  std::string text;
  for (const MountReport& mount : report->mounts) text += mount.prefix + "  by " + mount.module + "\n";
  return text;
}

}  // namespace sluice
