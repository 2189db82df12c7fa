// What a service manager such as systemd passes to a server through its environment: sd_notify(3),
// sd_watchdog_enabled(3), sd_listen_fds(3).
#pragma once

#include <string>

namespace sluice {

// The texts of the variables, unjudged; empty for those that are not set.
struct ServiceVariables {
  std::string notify_socket;   // NOTIFY_SOCKET
  std::string watchdog_usec;   // WATCHDOG_USEC
  std::string watchdog_pid;    // WATCHDOG_PID
  std::string listen_fds;      // LISTEN_FDS
  std::string listen_pid;      // LISTEN_PID
  std::string listen_fdnames;  // LISTEN_FDNAMES
};

// Takes them out of the environment, so that no child process takes them for its own. REQUIRES: one thread.
ServiceVariables take_service_variables();

// Sets the variables by which the service manager is told, for a program that takes this one's place. REQUIRES:
// called in the process that becomes that program.
void pass_on_service_variables(const ServiceVariables& variables);

}  // namespace sluice
