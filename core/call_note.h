// What a thread of a worker is doing, noted in shared memory before each call into a module, and the snapshot
// that a signal handler takes of it, so that another process can tell what a worker died of or is held up by.
//
// A note has one writer, its thread; a snapshot one, the handler, which publishes it last. Any number of
// readers in other processes. All zero at first.
#pragma once

#include <sluice/abi.h>

#include <atomic>
#include <cstdint>

namespace sluice {

struct CallNote {
  // 0 for none, else the module: its generation in the upper half, in the lower one its index in
  // WorkerStats::modules plus one.
  std::atomic<std::uint64_t> who{0};
  std::atomic<const Request*> request{nullptr};  // in the worker's own memory
};

constexpr std::uint64_t make_note(std::uint32_t module_index, std::uint32_t generation) {
  return (std::uint64_t{generation} << 32) | (module_index + 1);
}

constexpr std::uint32_t noted_index(std::uint64_t who) {
  return static_cast<std::uint32_t>(who) - 1;
}

// Notes a call as long as it lives. A call may come from within another module's, whose note comes back.
class NotedCall {
 public:
  NotedCall(CallNote& note, std::uint64_t who, const Request* request = nullptr)
      : note_(note),
        who_before_(note.who.load(std::memory_order_relaxed)),
        request_before_(note.request.load(std::memory_order_relaxed)) {
    note_.request.store(request, std::memory_order_relaxed);
    note_.who.store(who, std::memory_order_relaxed);
  }
  ~NotedCall() {
    note_.who.store(who_before_, std::memory_order_relaxed);
    note_.request.store(request_before_, std::memory_order_relaxed);
  }
  NotedCall(const NotedCall&) = delete;
  NotedCall& operator=(const NotedCall&) = delete;

 private:
  CallNote& note_;
  std::uint64_t who_before_;
  const Request* request_before_;
};

struct Snapshot {
  // An address in a loaded object, as the object's own file counts.
  struct Frame {
    std::uint64_t offset = 0;
    char object[120]{};  // its path; empty for the program itself
  };
  static constexpr unsigned kFramesMax = 32;

  std::atomic<std::uint32_t> taken{0};  // how often; odd while it is being written
  std::int32_t signal = 0;
  std::uint64_t who = 0;
  char request[512]{};  // "GET /x HTTP/1.1"; terminated
  std::uint32_t frames_size = 0;
  Frame frames[kFramesMax];  // the innermost first
};

}  // namespace sluice
