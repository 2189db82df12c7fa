// A snapshot of a thread that got a signal: the module that it called, the request, and the thread's frames.
// From it the supervisor knows what a worker died of, or is held up by.
//
// The signal's handler writes the snapshot into shared memory and publishes it by `taken`; other processes read
// it. A snapshot is valid when all zero.
#pragma once

#include <atomic>
#include <cstdint>

namespace sluice {

struct Snapshot {
  // An address in a loaded object, relative to the object's load address.
  struct Frame {
    std::uint64_t offset = 0;
    char object[120]{};  // its path; empty for the program itself
  };
  static constexpr unsigned kFramesMax = 32;

  std::atomic<std::uint32_t> taken{0};  // grows by two with each snapshot; odd while one is being written
  std::int32_t signal = 0;              // 0 when the process called exit(3)
  std::int32_t sent_by = 0;             // PID of the signal's sender; 0 for this process and the kernel
  std::uint64_t module_tag = 0;
  char request[512]{};  // "GET /x HTTP/1.1"; terminated
  std::uint32_t frames_size = 0;
  Frame frames[kFramesMax];  // the innermost first
};

}  // namespace sluice
