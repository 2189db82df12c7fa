// One worker: a loop, the handlers of every mount, and the connections it has accepted.
//
// Runs in a process of its own, or in a short-lived child that only tries whether everything can be made. One
// thread, and the offload threads it owns.
#pragma once

#include <sluice/abi.h>

#include <memory>
#include <string>
#include <vector>

#include "connection.h"
#include "listener.h"
#include "serving_plan.h"

namespace sluice {

// What a worker says to its supervisor, and the supervisor to it: one byte a message.
enum class ControlMessage : char {
  ready = 'r',   // the worker serves
  stop = 's',    // finish what is in flight within the drain limit, then exit
  retire = 'x',  // a newer worker has taken over: finish what is in flight, however long it takes
};

struct MountReport {
  std::string prefix;
  std::string module;
};

class Worker final : private Listener::Acceptor, private Pollable, private Timer {
 public:
  // Loads the modules and makes the handlers. The error is one sentence. `stats` and `plan` outlive the worker.
  static Result<std::unique_ptr<Worker>> prepare(const ServingPlan& plan, WorkerStats& stats);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  const std::vector<MountReport>& mounts() const { return mounts_; }
  // Modules that are left out, and why: a sentence each.
  const std::vector<std::string>& problems() const { return problems_; }

  // Accepts from the sockets, which become the worker's, and serves until told to end by `control`, which stays
  // the caller's, or by TERM.
  Result<void> run(const std::vector<int>& sockets, int control);

 private:
  struct Loaded {
    std::shared_ptr<ModuleFile> file;
    InstanceRef shared;
    bool mounted = false;  // by name
  };

  Worker(const ServingPlan& plan, WorkerStats& stats, std::unique_ptr<EventLoop> loop,
         std::unique_ptr<Offload> offload);
  void load_modules();
  bool is_chosen(const std::string& name) const;
  Result<void> make_explicit_mounts();
  void make_default_mounts();
  Result<void> make_mount(Loaded& loaded, const MountPlan& mount);
  Loaded* find_module(std::string_view name);
  Unexpected unknown_module(const std::string& name, const std::string& wanted_by) const;

  void on_accept(UniqueFd socket) override { connections_.accept(std::move(socket)); }
  bool can_accept() const override { return connections_.size() < plan_.settings.limits.connections_max; }
  void on_events(std::uint32_t events) override;
  void fired() override;
  void drain(bool limited);

  const ServingPlan& plan_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Offload> offload_;
  BufferPool inputs_;
  BufferPool outputs_;
  HttpDate date_;
  Router router_;
  ConnectionContext context_;
  ConnectionTable connections_;
  InstanceServices services_;
  std::vector<Loaded> modules_;
  std::vector<MountReport> mounts_;
  std::vector<std::string> problems_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  int control_ = -1;
  EventLoop::Token control_token_ = EventLoop::kNoToken;
  UniqueFd signals_;
  bool draining_ = false;
  bool limited_ = false;
  std::uint64_t drain_until_ms_ = 0;
};

}  // namespace sluice
