// The pipe that takes the lines of all processes to stderr. When a terminal or collector does not read, lines
// stay in the pipe, and when that is full, writers drop theirs. So nothing is held up.
//
// Supervisor's thread.
#pragma once

#include "base/error.h"
#include "base/unique_fd.h"
#include "loop/registration.h"

namespace sluice {

class LogPipe final : private Pollable {
 public:
  // The loop passes lines on as they come.
  explicit LogPipe(EventLoop& loop) : loop_(loop) {}

  // From now on this process logs into the pipe.
  Result<void> open();
  // From now on it logs to stderr again.
  void close();
  // For a forked process, which only writes.
  void close_reading();
  // For other processes. They can make it block for one another, but not for this process.
  int writing_fd() const { return writing_.get(); }

  // Passes on what is in the pipe at this moment, as far as stderr takes it. Never blocks.
  void forward();

 private:
  void on_events(std::uint32_t) override { forward(); }
  bool find_room();

  EventLoop& loop_;
  UniqueFd reading_;
  UniqueFd writing_;
  UniqueFd own_;        // of an open file description of its own, so that its O_NONBLOCK is, too
  Registration lines_;  // waits for lines in `reading_` while stderr has room
  Registration room_;   // waits for room in stderr when it is full
};

}  // namespace sluice
