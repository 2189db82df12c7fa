// Logs at most one line a second of what clients can cause at will, and counts the others. One thread.
#pragma once

#include <sluice/abi.h>

#include <cstdint>
#include <string>

namespace sluice {

class PacedLog {
 public:
  // Whether a line is due now. If not, it counts as unsaid.
  bool is_due(std::uint64_t now_ms);
  // REQUIRES: is_due was true.
  void say(LogLevel level, std::string sentence);

 private:
  std::uint64_t logged_ms_ = 0;
  std::uint64_t unsaid_ = 0;
};

}  // namespace sluice
