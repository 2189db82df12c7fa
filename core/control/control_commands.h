// The commands of a running server's control socket, and the clients that wait for a reload to end.
// Supervisor's thread; never blocks.
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
  // The functions that the commands call.
  struct Actions {
    std::function<void()> want_reload;
    std::function<void()> stop;  // unless it stops already; calls server_stops
    std::function<std::string()> status;
    std::function<std::string()> status_json;
    std::function<std::string()> metrics;
    std::function<std::string()> certificates;
    std::function<std::string()> certificates_json;
    std::function<void(const std::string& module, std::function<void(const Result<void>&)> answer)> enable;
    std::function<Result<void>(const std::string& module)> disable;
    std::function<void(const std::string& query, std::function<void(const ControlAnswer&)> answer)> explain;
  };

  // Opens the control socket. A failure is an error only if the settings name the path; otherwise it is logged.
  Result<void> open(EventLoop& loop, const Settings& settings, Actions actions, ControlTimes times = {});

  void close_for_child();
  // All clients that have asked for a reload get the answer of the one that begins now.
  void reload_begins();
  void reload_ended(const ControlAnswer& answer);
  // Answers all waiting clients, and later ones, that the server is stopping.
  void server_stops();
  // Gives the control socket up, and then answers those that have asked for the stop: the next server may have
  // the same socket.
  void server_ended();

 private:
  std::vector<ControlCommand> commands();
  // Answers the ticket when what is returned is called, unless the server stops before.
  std::function<void(const ControlAnswer&)> answer_later(ControlTicket ticket);

  Actions actions_;
  std::unique_ptr<ControlServer> server_;
  bool stopping_ = false;
  std::vector<ControlTicket> askers_;    // wait for a reload that has not begun
  std::vector<ControlTicket> waiters_;   // wait for the reload at work
  std::vector<ControlTicket> stoppers_;  // wait for the server's end
  std::vector<ControlTicket> singles_;   // wait each for an answer of its own
};

}  // namespace sluice
