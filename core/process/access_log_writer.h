// The process that writes the access logs. It takes the lines of all workers out of their rings, so a disk that
// is slow, full or dead holds up nothing else. It outlives a crash of any worker, and writes what that one has
// left.
//
// A process of one thread. The supervisor starts it, and tells it what to do through a socket.
#pragma once

#include <cstdint>
#include <string>

#include "telemetry/access_ring.h"

namespace sluice {

struct AccessLogMessage {
  enum class Kind : std::uint8_t { log, reopen };
  Kind kind = Kind::log;
  // Of `log`: the lines of rings with this plan and with this number go to this path. Number 0 comes last.
  std::uint32_t plan = 0;
  std::uint16_t number = 0;
  std::string path{};
};

// False when the socket takes no more.
bool send_message(int socket, const AccessLogMessage& message);

// Runs in the forked process until `control` has ended and all lines are written. `wake_fd` is the eventfd(2)
// of AccessPlace.
[[noreturn]] void run_access_log_writer(AccessRings& rings, int wake_fd, int control);

}  // namespace sluice
