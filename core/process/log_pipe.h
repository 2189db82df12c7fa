// The pipe that takes the lines of all processes to stderr. When a terminal or collector does not read, lines
// stay in the pipe, and when that is full, writers drop theirs. So nothing is held up.
//
// Supervisor's thread.
#pragma once

#include <poll.h>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice {

class LogPipe {
 public:
  // From now on this process logs into the pipe.
  Result<void> open();
  // From now on it logs to stderr again.
  void close();
  // For a forked process, which only writes.
  void close_reading() { reading_.reset(); }
  int writing_fd() const { return writing_.get(); }

  // The event to wait for before `forward` can do something.
  pollfd wanted() const;
  // Passes on what is in the pipe at this moment, as far as stderr takes it. Never blocks.
  void forward();

 private:
  UniqueFd reading_;
  UniqueFd writing_;
  bool stuck_ = false;  // stderr is not read
};

}  // namespace sluice
