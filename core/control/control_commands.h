// The commands that a running server takes through its control socket, and the clients that wait for the end of
// a reload. Supervisor's thread; never blocks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/control_server.h"
#include "settings/settings.h"

namespace sluice {

class ControlCommands {
 public:
  // What the commands come to.
  struct Actions {
    std::function<void()> want_reload;
    std::function<std::string()> status;
    std::function<std::string()> metrics;
    std::function<void(const std::string& module, std::function<void(const Result<void>&)> answer)> enable;
    std::function<Result<void>(const std::string& module)> disable;
  };

  // Opens the socket that the settings ask for. One that nobody asked for by name is no reason not to serve.
  Result<void> open(const Settings& settings, Actions actions);

  // Readable when there is something for `serve`; -1 without a socket.
  int fd() const { return server_ == nullptr ? -1 : server_->fd(); }
  void serve() { server_->serve(); }
  void close_for_child();
  // Who has asked for a reload until now waits for the one that begins.
  void reload_begins();
  void reload_ended(const ControlAnswer& answer);
  // Nobody is left waiting for what will not come, and nobody is promised it.
  void server_stops();

 private:
  std::vector<ControlCommand> commands();

  Actions actions_;
  std::unique_ptr<ControlServer> server_;
  bool stopping_ = false;
  std::vector<ControlTicket> askers_;    // wait for a reload that has not begun
  std::vector<ControlTicket> waiters_;   // wait for the one that has
  std::vector<ControlTicket> enablers_;  // wait for a module to be switched on
};

}  // namespace sluice
