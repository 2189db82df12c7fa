// The log: one line a message, on stderr or on the pipe that leads to the supervisor.
//
// A worker writes to a non-blocking pipe, so that a stuck terminal or collector never holds its loop up.
// Lines that do not fit are dropped and counted, and the count is logged when there is room again. Lines of
// one cause, which begin alike except for numbers, have a limit as well: beyond a hundred at once and ten a
// second they are left out and counted, except at the level debug. Any thread.
#pragma once

#include <sluice/abi.h>

#include <string_view>

namespace sluice {

// Lines below `level` are left out. Each line has the name `process` ("supervisor", "worker 1").
void set_log(LogLevel level, std::string_view process);

// The descriptor for lines from now on; 2 by default. The caller keeps it open.
void set_log_fd(int fd);

// Writes "TIME LEVEL PROCESS: message\n" in one write(2). Control bytes are escaped, long messages are cut.
// Allocates nothing.
void log(LogLevel level, std::string_view message);
// The same for what repeats while something has run out: one line of a cause in ten seconds, and the count of
// those that were left out.
void log_rarely(LogLevel level, std::string_view message);

}  // namespace sluice
