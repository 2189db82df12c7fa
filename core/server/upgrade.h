// Another program on its way to take this server's place (signal USR2): it is executed with the arguments of
// this one, gets the listening sockets, and says when it could serve. Until then this server serves as before.
//
// Supervisor's thread; never blocks. A program that does not get ready is ended.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "base/service_variables.h"
#include "loop/alarm.h"
#include "loop/registration.h"
#include "process/handover.h"

namespace sluice {

class Upgrade final : private Pollable {
 public:
  // Called once: the program is ready, or has failed, and then the error is one sentence. May destroy the
  // upgrade.
  using Ended = std::function<void(const Result<void>&)>;
  struct Program {
    std::string path;
    ServiceVariables variables;
    std::uint64_t limit_ms = 0;  // for it to get ready
  };
  // `loop` lives longer. The sockets of `handover` stay the caller's.
  static Result<std::unique_ptr<Upgrade>> begin(EventLoop& loop, Handover handover, const Program& program,
                                                Ended ended);
  // Ends the program, unless it was told to serve.
  ~Upgrade();
  Upgrade(const Upgrade&) = delete;
  Upgrade& operator=(const Upgrade&) = delete;

  pid_t pid() const { return pid_; }
  // The program accepts connections from now on. REQUIRES: it is ready.
  void let_serve();
  // False if it is another child.
  bool child_ended(pid_t pid, int status);
  // For a forked process.
  void close_for_child();

 private:
  Upgrade(EventLoop& loop, UniqueFd channel, pid_t pid, Ended ended);
  void on_events(std::uint32_t events) override;
  void end(const Result<void>& outcome);

  UniqueFd channel_;
  Registration heard_;
  Alarm late_;
  pid_t pid_;
  Ended ended_;
  bool serves_ = false;
};

// The path of this process' program, which another file may take the place of.
std::string own_program();

}  // namespace sluice
