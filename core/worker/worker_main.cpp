#include "worker/worker_main.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/process_setup.h"
#include "telemetry/fault_handler.h"
#include "worker/confinement.h"
#include "worker/lifeline.h"
#include "worker/worker.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace sluice {
namespace {

// How much longer than the drain limit draining may take without a supervisor.
constexpr std::uint64_t kLifelineGraceMs = 2'000;

// The counters of a single default site are the worker's own.
void name_sites(WorkerStats& stats, const std::vector<SitePlan>& sites) {
  if (sites.size() == 1 && sites.front().is_default) return;
  const std::size_t named = std::min<std::size_t>(sites.size(), WorkerStats::kSitesMax - 1);
  for (std::size_t i = 0; i < named; ++i) stats.site(i).name.set(sites[i].label);
  if (named < sites.size()) stats.site(named).name.set("(more)");
}

Result<void> serve(const WorkerStart& start, WorkerStats& stats, int control, int asked) {
  OwnWait own_wait;
  ConfinedProcess process{*start.plan,
                          start.group,
                          permissions_of(*start.plan, start.group),
                          start.copies,
                          {control, asked, own_wait.fd(), start.access.wake_fd}};
  if (start.state.state != nullptr) process.told = start.state.state->told.get();
  for (const ListeningSocket& socket : start.sockets) process.descriptors.push_back(socket.fd);
  const auto confined = confine(process);
  if (!confined) return Unexpected(confined.error());
  stats.confined.set(*confined);
  name_sites(stats, start.plan->sites);
  // Starts before there are modules, whose threads are not the worker's own.
  const auto lifeline = Lifeline::start(
      stats, control, start.plan->settings.timeouts.drain_ms + kLifelineGraceMs, asked, std::move(own_wait));
  if (!lifeline) return Unexpected(lifeline.error());
  auto worker = Worker::prepare(*start.plan, start.plan->groups[start.group], start.modules, stats,
                                {start.unusable, start.state});
  if (!worker) return Unexpected(worker.error());
  (*worker)->log_access(start.access);
  (*worker)->limit_clients(start.index);
  for (const ModuleProblem& problem : (*worker)->table().problems()) log(LogLevel::error, problem.sentence);
  // From here on its loop or its lifeline decides when it ends, so it must not stay stopped.
  ::prctl(PR_SET_PDEATHSIG, SIGCONT);
  return (*worker)->run(start.sockets, control);
}

}  // namespace

void run_worker(const WorkerStart& start, WorkerStats& stats, int control, int asked, pid_t supervisor) {
  // A worker that does not serve yet can simply be killed.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor) ::_exit(0);
  start.close_others(start.sockets);
  ::prctl(PR_SET_NAME, "sluice-worker");
  // A terminal sends INT to all processes of a group. The supervisor decides what it means.
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP}) ::signal(signal, SIG_IGN);
  ignore_idle_signals();
  ::signal(SIGCHLD, SIG_DFL);
  // A module may change SIGPIPE's action. A blocked SIGPIPE does not end the process.
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGPIPE);
  sigprocmask(SIG_SETMASK, &blocked, nullptr);
  set_log(start.plan->settings.log_level, "worker " + std::to_string(start.index + 1));
  set_log_fd(start.log_fd);
  if (start.plan->has_tls()) leave_memory_out_of_dumps();
  install_fault_handler(stats);
  const FaultStack stack(0);
  const auto served = serve(start, stats, control, asked);
  if (!served) log(LogLevel::error, served.error().message);
#if defined(__SANITIZE_ADDRESS__)
  if (__lsan_do_recoverable_leak_check() != 0) ::_exit(23);
#endif
  ::_exit(served ? 0 : 1);
}

}  // namespace sluice
