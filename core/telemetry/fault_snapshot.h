// What a thread was doing when a signal met it, and where: written by the signal's handler into shared memory,
// so that another process can tell what a worker died of or is held up by.
//
// A snapshot has one writer, the handler, which publishes it last by `taken`, and any number of readers in
// other processes. All zero at first.
#pragma once

#include <atomic>
#include <cstdint>

namespace sluice {

struct Snapshot {
  // An address in a loaded object, as the object's own file counts.
  struct Frame {
    std::uint64_t offset = 0;
    char object[120]{};  // its path; empty for the program itself
  };
  static constexpr unsigned kFramesMax = 32;

  std::atomic<std::uint32_t> taken{0};  // how often; odd while it is being written
  std::int32_t signal = 0;              // 0 for none: the process ends by its own call
  std::int32_t sent_by = 0;             // the process that sent the signal; 0 for this one and the kernel
  std::uint64_t module_tag = 0;
  char request[512]{};  // "GET /x HTTP/1.1"; terminated
  std::uint32_t frames_size = 0;
  Frame frames[kFramesMax];  // the innermost first
};

}  // namespace sluice
