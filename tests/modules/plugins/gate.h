// Lets a test hold up a call of a module: the gate is closed while there is a file "gate" in the module's
// folder. Any thread.
#pragma once

#include <unistd.h>

#include <chrono>
#include <thread>

inline bool gate_is_closed(int folder_fd) {
  return ::faccessat(folder_fd, "gate", F_OK, 0) == 0;
}

// Waits until the gate is open, but not for ever.
inline void wait_at_gate(int folder_fd) {
  constexpr int kPolls = 30'000;
  for (int i = 0; i < kPolls && gate_is_closed(folder_fd); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}
