// The process that writes the access logs. It takes the lines of all workers out of their rings, so a disk that
// is slow, full or dead holds up nothing else. It outlives a crash of any worker, and writes what that one has
// left.
//
// A process of one thread. The supervisor starts it, and tells it what to do through a socket of kind
// SOCK_SEQPACKET.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "telemetry/access_ring.h"

namespace sluice {

// Of one message. More would not fit into the socket.
inline constexpr std::size_t kAccessLogsMessageMax = 64 * 1024;

// Says where the lines of rings with this plan go: the path of each log, in the order of its number.
std::string paths_message(std::uint32_t plan, const std::vector<std::string>& paths);
// Says that no ring has this plan any more.
std::string forget_message(std::uint32_t plan);
// Has all files opened anew.
std::string reopen_message();

// Runs in the forked process until `control` has ended and all lines are written. `wake_fd` is the eventfd(2)
// of AccessPlace, and `log_fd` that of this server's log. Closes all other descriptors.
[[noreturn]] void run_access_log_writer(AccessRings& rings, int wake_fd, int control, int log_fd) noexcept;

}  // namespace sluice
