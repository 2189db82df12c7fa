// The supervisor at work: it owns the listening sockets, forks the workers, replaces those that die, and
// passes signals on. Its parts register with the loop and handle their own events; the supervisor joins them.
//
// One thread; never blocks on a module or on a worker.
//
// INVARIANT: each part does a bounded amount of work in one turn, so none keeps the loop from the others.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/monotonic_clock.h"
#include "base/paced_log.h"
#include "control/control_commands.h"
#include "control/metrics_text.h"
#include "process/culprit.h"
#include "process/draining_workers.h"
#include "process/fault_report.h"
#include "process/log_pipe.h"
#include "process/restart_pace.h"
#include "process/watchdog.h"
#include "process/worker_group.h"
#include "server/explanations.h"
#include "server/gather_status.h"
#include "server/named_files_watch.h"
#include "server/pid_file.h"
#include "server/reload.h"
#include "server/served_certificates.h"
#include "server/service_manager.h"
#include "server/takeover.h"
#include "server/tried_settings.h"
#include "server/upgrade.h"
#include "server/worker_questions.h"
#include "settings/confinement_support.h"
#include "swap/module_rollout.h"

namespace sluice {

// What a service manager has passed to the server.
struct Service {
  ServiceVariables variables;
  InheritedSockets sockets;
  std::optional<Handover> handover{};  // of a former server, whose place this one takes
};

class Supervisor final : private WorkerProcess::Owner, private Pollable {
 public:
  // `loop` and `reread` live longer.
  Supervisor(EventLoop& loop, TriedSettings tried, const ReadSettings& reread, Service service,
             std::shared_ptr<const SharedState> state);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Returns when all workers serve, or when it is told to stop.
  Result<void> start();
  // Serves until a signal ends it. False when a second signal ended it.
  bool run();

 private:
  Result<void> watch_signals();
  Result<void> open_control();
  std::string status_in_json() const;
  WorkerGroup::Launch launch(Unusable unusable);
  void close_for_child(const std::vector<ListeningSocket>& own_sockets);

  void heard(WorkerProcess& worker, const WorkerMessage& message) override;
  void does_not_end(WorkerProcess& worker) override;
  // A signal has come. The ready phase handles it, after the messages that workers have sent before they ended.
  void on_events(std::uint32_t) override { take_signals_.soon(); }
  void take_signals();
  void reap();
  void on_stop(pid_t pid, bool stopped);
  void on_end(const WorkerProcess& worker, int status);
  void let_go(WorkerProcess& worker);
  void on_end_at_start(const std::string& module);
  void pace_restart(const WorkerProcess& worker, bool counted);
  void report(const Culprit& culprit);

  void want_reload();
  void want_renewal();
  bool may_swap();
  std::string serves() const;
  void begin_reload();
  void end_reload(const Result<void>& outcome);
  void refuse_reload(const std::string& why);
  void abandon_reload();
  void commit_reload();
  void stop();
  void begin_lame_duck(std::uint32_t lame_duck_ms);
  void begin_drain();
  Result<void> take_place();
  void begin_upgrade();
  void end_upgrade(const Result<void>& outcome);
  void respawn_missing();
  void replace_ticket_keys();
  std::vector<WorkerProcess*> all_workers() const;
  WorkerProcess* find_worker(pid_t pid) const;
  ServerView view() const {
    ServerView view = gather_status(*group_, rollout_, next_group(), retired_.workers(), started_ms_);
    view.certificates = with_sites(certificates_.all(), group_->plan());
    view.lacking = lacking_;
    view.state = leaving_ || stopping_ ? "stopping" : serving_ ? "ready" : "starting";
    return view;
  }
  WorkerGroup* next_group() const { return reload_ == nullptr ? nullptr : reload_->group(); }
  void kill_all();

  EventLoop& loop_;
  const ReadSettings& reread_;
  const ServiceVariables variables_;
  const std::string program_ = own_program();  // before another file takes its place
  ServiceManager manager_;
  PidFile pid_file_;
  InheritedSockets inherited_;
  UniqueFd signals_;
  Registration signals_heard_;
  Alarm take_signals_;
  Alarm respawn_;
  Alarm end_of_lame_duck_;
  Alarm end_of_drain_;
  Alarm replace_keys_;  // of session tickets
  LogPipe log_pipe_;
  AccessLogs access_logs_;
  WorkerSeats seats_;
  PastCounts past_;
  ControlCommands control_;
  WorkerQuestions questions_;
  Explanations explanations_;
  ModuleRollout rollout_;
  std::unique_ptr<WorkerGroup> group_;
  std::unique_ptr<Reload> reload_;      // the one under way
  std::unique_ptr<Takeover> takeover_;  // until this server has taken the place of a former one
  std::unique_ptr<Upgrade> upgrade_;    // the one under way
  ServedCertificates certificates_;
  NamedFilesWatch named_files_watch_;
  Watchdog watchdog_;
  RestartPace pace_;
  PacedLog unlaunched_{60'000};  // workers that could not be started
  FaultReports reports_;
  DrainingWorkers retired_;
  bool serving_ = false;   // all workers have been ready
  bool hopeless_ = false;  // they cannot get ready
  unsigned ends_at_start_ = 0;
  bool reload_wanted_ = false;
  bool renewal_ = false;       // the wanted reload keeps the present settings
  bool renews_ = false;        // the same of the reload under way
  ReadSettings present_;       // returns the present settings
  bool leaving_ = false;       // it stops soon, and still accepts
  bool is_successor_ = false;  // it has taken the place of another server, and nobody else serves
  bool handed_over_ = false;   // another process serves, and this one only ends its requests
  bool stopping_ = false;
  bool forced_ = false;
  std::uint64_t swaps_until_ms_ = 0;  // until then a wanted reload waits for swaps
  std::uint64_t retry_at_ms_ = 0;     // no missing worker is started before
  std::uint64_t started_ms_ = monotonic_ms();
  const std::string lacking_ = confinement_lacking();
};

}  // namespace sluice
