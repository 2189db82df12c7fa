// The pipe through which the lines of all processes come to stderr, so that a terminal or collector that does
// not read holds up nobody: lines stay in the pipe, and who writes drops theirs when it is full.
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
  // Logs to stderr again.
  void close();
  // For a forked process, which writes only.
  void close_reading() { reading_.reset(); }
  int writing_fd() const { return writing_.get(); }

  // What to wait for before `forward` can do something.
  pollfd wanted() const;
  // Passes on what there is at this moment, as far as stderr takes it. Never blocks.
  void forward();

 private:
  UniqueFd reading_;
  UniqueFd writing_;
  bool stuck_ = false;  // nobody reads stderr
};

}  // namespace sluice
