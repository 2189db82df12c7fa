// How a test lets a module's call wait until it says so: it is closed while there is a
// file "gate" in the module's folder. Any thread.
#pragma once

#include <unistd.h>

#include <chrono>
#include <thread>

inline bool gate_is_closed(int folder_fd) {
  return ::faccessat(folder_fd, "gate", F_OK, 0) == 0;
}

// Not for ever.
inline void wait_at_gate(int folder_fd) {
  constexpr int kPolls = 30'000;
  for (int i = 0; i < kPolls && gate_is_closed(folder_fd); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}
