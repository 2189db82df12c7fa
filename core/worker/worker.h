// One worker: a loop, the handlers of every mount, and the connections that it has accepted.
//
// Runs in a process of its own, or in a short-lived child that only tries to make everything. One thread, and
// the offload threads that it owns.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/shared_state.h"
#include "connection/connection_table.h"
#include "connection/explained_requests.h"
#include "module/mount_table.h"
#include "settings/serving_plan.h"
#include "transport/listener.h"
#include "worker/server_questions.h"
#include "worker/worker_address.h"
#include "worker/worker_message.h"

namespace sluice {

class Worker final : private Listener::Acceptor, private Pollable, private Timer, private Ready {
 public:
  struct Terms {
    Unusable unusable = Unusable::left_out;
    StatePlace state = {};  // without one, the worker makes its own
  };
  // Loads the modules and makes the handlers of one serving group. The error is one sentence. `plan`, `group`
  // and `stats` outlive the worker.
  static Result<std::unique_ptr<Worker>> prepare(const ServingPlan& plan, const ServingGroup& group,
                                                 const ModuleSet& set, WorkerStats& stats, const Terms& terms);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  MountTable& table() const { return *mounts_; }
  // From now on requests are logged there.
  void log_access(const AccessPlace& place) {
    if (place.rings != nullptr) context_.access = &access_.emplace(place, context_.stats);
  }

  // From now on its clients are counted and limited, as those of the worker with this number.
  void limit_clients(unsigned number);

  // Accepts from the sockets when it is told to, and serves until `control` or TERM ends it. `control` stays
  // the caller's; the sockets become the worker's.
  Result<void> run(const std::vector<ListeningSocket>& sockets, int control);

 private:
  class Loading;
  class Unloading;

  Worker(const ServingPlan& plan, const ServingGroup& group, WorkerStats& stats, StatePlace state,
         std::unique_ptr<EventLoop> loop, std::unique_ptr<Offload> offload);
  Result<void> prepare_addresses();
  // Unloads on an offload thread, since dlclose(3) may block and runs the module's destructors.
  std::shared_ptr<ModuleFile> unloaded_elsewhere(std::shared_ptr<ModuleFile> file);
  void unload(std::shared_ptr<ModuleFile> file);

  // One change of the modules: an offload thread loads it, the loop makes the handlers, then it is committed
  // or abandoned.
  void hear(WorkerMessage& message);
  void prepare_change(std::uint64_t number, const ModuleSet& set);
  void begin_next(std::uint64_t number, const ModuleSet& set, LoadedFiles& files);
  void make_next();
  void commit_change(std::uint64_t number);
  void abandon_change();
  void say(ControlMessage kind, std::uint64_t number, const std::string& text = "");
  void start_accepting();
  void help(WorkerMessage& message);
  void explain(const WorkerMessage& message);

  void on_accept(AcceptedSocket socket, std::uint32_t address) override;
  bool can_accept() const override { return connections_.size() < plan_.settings.limits.connections_max; }
  bool make_room(int why, bool again) override;
  void on_events(std::uint32_t events) override;
  void on_ready() override { make_next(); }
  void fired() override;
  void leave();
  void drain(bool limited);
  void tick_in(std::uint64_t delay_ms);

  const ServingPlan& plan_;
  const ServingGroup& group_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Offload> offload_;
  InputBuffers inputs_;
  BufferPool outputs_;
  HttpDate date_;
  Router router_;
  TlsIdentities identities_;
  HandshakeLog handshake_log_;
  std::vector<std::unique_ptr<WorkerAddress>> addresses_;  // one for each of ServingGroup::addresses
  std::optional<AccessRecorder> access_;
  std::optional<ClientLimits> clients_;
  ConnectionContext context_;
  LoggedDecisions logged_decisions_;
  ConnectionTable connections_;
  ExplainedRequests explained_;
  Shortage shortage_;
  int spare_descriptors_from_;  // descriptors from this number on are kept for files, if idle connections can
                                // give way
  ServerQuestions questions_;
  InstanceServices services_;
  std::unique_ptr<MountTable> mounts_;
  std::unique_ptr<MountTable> making_;       // some handlers in each turn
  std::unique_ptr<MountTable> next_mounts_;  // made, but not yet committed
  std::uint64_t change_ = 0;                 // the number of the change that is being prepared; 0 for none
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::map<std::uint64_t, std::unique_ptr<Listener>> helped_;  // of workers that are held up
  std::set<std::string> own_threads_;                          // the numbers of its threads
  std::atomic<bool> ending_{false};
  int control_ = -1;
  EventLoop::Token control_token_ = EventLoop::kNoToken;
  UniqueFd signals_;
  bool leaving_ = false;  // no connection is kept
  bool ticking_ = false;  // a timer will call `fired`
  bool draining_ = false;
  bool limited_ = false;
  std::uint64_t drain_until_ms_ = 0;
  std::uint64_t streams_until_ms_ = 0;
};

}  // namespace sluice
