// Logs at most one line in a while of what clients can cause at will, or of what fails again and again, and
// counts the others. One thread.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <string>

namespace sluice {

class PacedLog {
 public:
  explicit PacedLog(std::uint64_t every_ms = 1'000) : every_ms_(every_ms) {}
  // Whether a line is due now. If not, it counts as unsaid.
  bool is_due(std::uint64_t now_ms);
  // REQUIRES: is_due was true.
  void say(LogLevel level, std::string sentence);

 private:
  std::uint64_t every_ms_;
  std::uint64_t logged_ms_ = 0;
  std::uint64_t unsaid_ = 0;
};

}  // namespace sluice
