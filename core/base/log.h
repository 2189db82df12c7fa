// The log: one line a message, on stderr or on the pipe that leads to the supervisor.
//
// A worker writes to a non-blocking pipe, so that a stuck terminal or collector never holds its loop up.
// Lines that do not fit are dropped and counted, and the count is logged when there is room again. Lines of
// one cause, which begin alike except for numbers, have a limit as well: beyond a hundred at once and ten a
// second they are left out and counted, except at the level debug. Any thread.
//
// While something is done for a client, a LogScope names the client, so that each line that is logged meanwhile
// by this thread says for whom it is.
#pragma once

#include <sluice/abi.h>

#include <string>
#include <string_view>

namespace sluice {

// Lines below `level` are left out. Each line has the name `process` ("supervisor", "worker 1").
void set_log(LogLevel level, std::string_view process);

// The descriptor for lines from now on; 2 by default. The caller keeps it open.
void set_log_fd(int fd);
// That descriptor.
int log_descriptor();

// Writes "TIME LEVEL PROCESS: message\n" in one write(2). Control bytes are escaped, long messages are cut.
// Behind the message stands what the innermost LogScope of the thread names. Allocates nothing else.
void log(LogLevel level, std::string_view message);
// The same for what repeats while something has run out: one line of a cause in ten seconds, and the count of
// those that were left out.
void log_rarely(LogLevel level, std::string_view message);

class LogContext {
 public:
  // ", client 192.0.2.1:49152, connection 3". Called only if a line is written.
  virtual std::string named_for_log() = 0;

 protected:
  ~LogContext() = default;
};

// Names whom this thread works for, while this object lives.
class LogScope {
 public:
  explicit LogScope(LogContext& context) : before_(innermost_) { innermost_ = &context; }
  ~LogScope() { innermost_ = before_; }
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

  // Null if this thread works for nobody.
  static LogContext* innermost() { return innermost_; }

 private:
  static inline thread_local LogContext* innermost_ = nullptr;
  LogContext* before_;
};

}  // namespace sluice
