// A worker in miniature in which a module is tried: the core's own loop, connections and router, and clients
// that are driven by the same thread, so that a step can say exactly what happens when.
//
// Measures every turn of the loop, and turns what the core logs of the module into findings. One thread, and
// the offload threads it owns; for a child process that ends soon.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "check/client.h"
#include "check/findings.h"
#include "check/module_under_check.h"
#include "connection/connection.h"
#include "module/module_instance.h"
#include "telemetry/turn_audit.h"

namespace sluice::cli {

// One loading of the module: what its handlers share, and a handler.
struct Generation {
  std::weak_ptr<ModuleFile> file;
  std::string path;
  InstanceRef shared;
  InstanceRef handler;
};

// What a stretch of calls into the module took of the loop.
struct LoopUse {
  std::uint64_t slept_us = 0;
  std::uint64_t paged_us = 0;  // slept, as far as pages of memory that were read from a disk may be why
  std::uint64_t computed_us = 0;
};

// Whether a Generation that was given up is gone.
enum class Leftover : std::uint8_t {
  none,
  held,     // an instance still exists
  running,  // a thread of it does; it stays mapped, since that would crash without its code
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
  // One more handler of a module that is loaded already.
  Result<InstanceRef> make_handler(const Generation& generation, const MountOptions& options);
  // Requests go there from now on.
  void mount(const Generation& generation);
  void retire(const Generation& generation);
  void unmount();
  // Lets go of it, and waits until nothing holds it.
  Leftover give_up(Generation& generation);

  // The target of a path below the mount, or of a whole one.
  std::string target(const std::string& path) const;
  // Null, with a finding under "requests", when there is no loopback network.
  std::unique_ptr<Client> connect(bool small_buffers = false);
  // Turns the loop, and `client`, until `ready`. False when that takes too long, or the module has let a
  // request be overdue.
  bool run(Client* client, const std::function<bool()>& ready);
  // A request on a connection of its own. None, with a finding, when it is not answered. A stream without end
  // is left at its beginning.
  std::optional<ClientAnswer> ask(const std::string& method, const std::string& target,
                                  const std::string& rest = "Connection: close\r\n\r\n");
  // Turns the loop, and `client`, until it is answered, or has what a stream without end shows of itself: that
  // is true then.
  bool await(Client& client, const std::string& target);
  // The target is answered by a stream without end, as far as is known.
  bool is_endless(const std::string& target) const;
  // What is wrong with how `client` was answered, if anything, becomes a finding.
  bool judge(const Client& client, std::string_view check = "answers");
  void turn();
  // All connections are gone.
  bool settle();

  // What is done now; begins the sentence of what is found meanwhile: "GET /hello/".
  void doing(const std::string& what);
  const std::string& now_doing() const { return doing_; }
  const ConnectionTable& connections() const { return connections_; }
  // A request was not answered in time: others would not be, either.
  bool overdue() const { return overdue_; }
  // The core has found a fault in what is done now.
  bool faulted() const { return stats_->module_faults.get() != faults_before_; }
  // The longest that a turn of the last ask() took of the loop.
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
  BufferPool inputs_;
  BufferPool outputs_;
  HttpDate date_;
  Router router_;
  ConnectionContext context_;
  ConnectionTable connections_;
  InstanceServices services_;
  std::unique_ptr<TurnAudit> audit_;
  std::uint64_t threads_ = 0;  // before there was a module
  LoopUse request_use_;
  std::string prefix_;
  std::string doing_;
  std::uint64_t faults_before_ = 0;  // what is done now
  bool overdue_ = false;
};

}  // namespace sluice::cli
