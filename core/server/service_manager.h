// Tells the service manager, such as systemd, how the server is (sd_notify(3)). Without one, it does nothing.
//
// Each message is one datagram to the socket that NOTIFY_SOCKET names. What that socket has no room for waits
// in a short queue. Supervisor's thread; never blocks after it was made.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/service_variables.h"
#include "base/unique_fd.h"
#include "loop/alarm.h"

namespace sluice {

class ServiceManager {
 public:
  // Logs a warning if the variables cannot be used. While WATCHDOG_USEC asks for it, says from the loop that
  // the server lives. `loop` lives longer.
  ServiceManager(EventLoop& loop, const ServiceVariables& variables);

  // The server serves: for the first time, or after a reload that was followed or refused. `status`: a line.
  void ready(std::string_view status);
  // A reload begins; `ready` ends it.
  void reloading();
  // The server ends, within this time.
  void stopping(std::uint64_t within_ms);
  // Another process is the server from now on. Nothing more is said of this one.
  void hand_over(pid_t to);
  // For a forked process.
  void close_for_child() { socket_.reset(); }

 private:
  void begin_watchdog(const ServiceVariables& variables);
  void say(std::string message);
  bool send(const std::string& message);
  void send_waiting();
  void live();

  UniqueFd socket_;  // connected
  Alarm retry_;
  Alarm live_;
  std::deque<std::string> waiting_;
  std::uint64_t live_every_ms_ = 0;
  bool handed_over_ = false;
  bool warned_ = false;  // since a message has arrived
};

}  // namespace sluice
