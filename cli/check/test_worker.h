// A small worker in which a module is tried: the core's own loop, connections and router. The same thread
// runs the clients, so that a step decides what happens at which moment.
//
// It measures every turn of the loop, and makes findings of what the core logs about the module. One thread,
// and the offload threads that it owns; for a child process that ends soon.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "check/client.h"
#include "check/findings.h"
#include "check/module_under_check.h"
#include "connection/connection_table.h"
#include "connection/single_site.h"
#include "module/module_instance.h"
#include "telemetry/turn_audit.h"

namespace sluice::cli {

// One loading of the module: the data that its handlers share, and one handler.
struct Generation {
  std::weak_ptr<ModuleFile> file;
  std::string path;
  InstanceRef shared;
  InstanceRef handler;
};

// The time that some calls into the module took on the loop.
struct LoopUse {
  std::uint64_t slept_us = 0;
  std::uint64_t paged_us = 0;  // slept, if reading pages of memory from a disk may be the reason
  std::uint64_t computed_us = 0;
};

// What is left of a Generation that was given up.
enum class Leftover : std::uint8_t {
  none,
  held,     // an instance still exists
  running,  // a thread of it still runs; the file stays mapped, because the thread would crash without its code
  mapped,   // the file is still mapped
};

class TestWorker {
 public:
  // The error is one sentence.
  static Result<std::unique_ptr<TestWorker>> create(const ModuleUnderCheck& subject, Findings& findings);
  ~TestWorker();
  TestWorker(const TestWorker&) = delete;
  TestWorker& operator=(const TestWorker&) = delete;

  // Loads the copy and makes a handler with the options that were asked for.
  Result<Generation> load(unsigned generation);
  // Makes one more handler of a loaded module.
  Result<InstanceRef> make_handler(const Generation& generation, const MountOptions& options);
  // From now on requests go to that handler.
  void mount(const Generation& generation);
  void retire(const Generation& generation);
  void unmount();
  // Gives the generation up, and waits until nothing holds it.
  Leftover give_up(Generation& generation);

  // The target for a path below the mount; a whole target stays as it is.
  std::string target(const std::string& path) const;
  // Null, with a finding under "requests", when there is no loopback network.
  std::unique_ptr<Client> connect(bool small_buffers = false);
  // Turns the loop, and steps `client`, until `ready`. False when that takes too long, or when the module let
  // a request be overdue.
  bool run(Client* client, const std::function<bool()>& ready);
  // Sends a request on a connection of its own. Nothing, with a finding, when it is not answered. Takes only
  // the beginning of a stream without end.
  std::optional<ClientAnswer> ask(const std::string& method, const std::string& target,
                                  const std::string& rest = "Connection: close\r\n\r\n");
  // Turns the loop, and steps `client`, until it has its answer. True when the answer turned out to be a
  // stream without end.
  bool await(Client& client, const std::string& target);
  // Whether the target is known to be answered by a stream without end.
  bool is_endless(const std::string& target) const;
  // Makes findings of what is wrong with the answers to `client`.
  bool judge(const Client& client, std::string_view check = "answers");
  void turn();
  // Waits until all connections and their work are gone.
  bool settle();

  // Sets the step that a finding names as its place: "GET /hello/".
  void doing(const std::string& what);
  const std::string& now_doing() const { return doing_; }
  const ConnectionTable& connections() const { return connections_; }
  // A request was not answered in time. Others would not be, either.
  bool overdue() const { return overdue_; }
  // Whether the core has found a fault since the last `doing`.
  bool faulted() const { return stats_->module_faults.get() != faults_before_; }
  // The longest time that a turn of the last ask() took on the loop.
  LoopUse last_request() const { return request_use_; }
  Findings& findings() { return findings_; }

 private:
  TestWorker(const ModuleUnderCheck& subject, Findings& findings, std::unique_ptr<EventLoop> loop,
             std::unique_ptr<Offload> offload, std::unique_ptr<WorkerStats> stats,
             std::unique_ptr<TurnAudit> audit, UniqueFd log);
  LoopUse use_of(const std::function<void()>& call);
  void measured(const std::function<void()>& call);
  void note_endless(const std::string& target);
  void collect_faults();

  const ModuleUnderCheck& subject_;
  Findings& findings_;
  Limits limits_;
  std::unique_ptr<WorkerStats> stats_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Offload> offload_;
  UniqueFd log_;
  std::size_t log_read_ = 0;
  InputBuffers inputs_;
  BufferPool outputs_;
  HttpDate date_;
  Router router_;
  SingleSite site_;
  ConnectionContext context_;
  ConnectionTable connections_;
  InstanceServices services_;
  std::unique_ptr<TurnAudit> audit_;
  std::uint64_t threads_ = 0;  // before the module was loaded
  LoopUse request_use_;
  std::string prefix_;
  std::string doing_;
  std::uint64_t faults_before_ = 0;  // at the last `doing`
  bool overdue_ = false;
};

}  // namespace sluice::cli
