// The log: one line a message, on stderr or on the pipe that leads to the supervisor.
//
// A worker writes to a non-blocking pipe, so that a stuck terminal or collector can never hold up its loop;
// lines that do not fit are dropped, counted, and the count is logged when there is room again. Lines of one
// cause, which are those that begin alike but for their numbers, have a limit of their own: beyond a hundred at
// once and ten a second they are left out and counted, except at the level debug. Any thread.
#pragma once

#include <sluice/abi.h>

#include <string_view>

namespace sluice {

// Lines below `level` are left out. `process` ("supervisor", "worker 1") stands in each line.
void set_log(LogLevel level, std::string_view process);

// Where lines go from now on; 2 unless called. The fd stays the caller's.
void set_log_fd(int fd);

// Writes "TIME LEVEL PROCESS: message\n" in one write(2). Control bytes are escaped, long messages are cut.
void log(LogLevel level, std::string_view message);

}  // namespace sluice
