// A note in shared memory of the call into a module that a worker's thread is in. From it the supervisor knows
// which module a worker died in, or is held up by.
//
// Each thread writes its own note before the call; other processes read it. A note is valid when all zero.
#pragma once

#include <sluice/abi.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>

namespace sluice {

// A copy of the beginning of a request's line, because other processes cannot read the worker's own memory. A
// reader may see it half written.
struct NotedRequest {
  static constexpr std::uint32_t kTargetMax = 104;
  char method[8]{};
  char target[kTargetMax]{};
  std::uint16_t method_size = 0;
  std::uint16_t target_size = 0;
  std::uint32_t version = 0;  // as in Request

  void set(const Request& request) {
    method_size = static_cast<std::uint16_t>(std::min<std::uint64_t>(request.method_name.size, sizeof(method)));
    target_size = static_cast<std::uint16_t>(std::min<std::uint64_t>(request.target.size, kTargetMax));
    version = request.version;
    if (method_size > 0) std::memcpy(method, request.method_name.data, method_size);
    if (target_size > 0) std::memcpy(target, request.target.data, target_size);
  }
  // "GET /x HTTP/1.1"
  std::string text() const {
    const std::size_t size = std::min<std::size_t>(target_size, sizeof(target));
    std::string line(method, std::min<std::size_t>(method_size, sizeof(method)));
    line.append(" ").append(target, size);
    if (size == sizeof(target)) return line + "...";
    return line + (version == 10 ? " HTTP/1.0" : " HTTP/1.1");
  }
};

struct CallNote {
  // The module that is called: its generation in the upper half, its index in WorkerStats::modules plus one in
  // the lower half. 0 outside of calls.
  std::atomic<std::uint64_t> module_tag{0};
  std::atomic<std::uint64_t> last{0};            // module_tag of the last call, kept when that call is over
  std::atomic<std::uint32_t> changes{0};         // how often `last` has changed
  std::atomic<std::uint64_t> since_ns{0};        // when an offloaded call began, by CLOCK_MONOTONIC; else 0
  std::atomic<const Request*> request{nullptr};  // of the call, in the worker's own memory
  std::atomic<const Request*> written{nullptr};  // the request that `line` was copied from
  NotedRequest line;

  // The call's request as "GET /x HTTP/1.1"; empty without a request. Any process.
  std::string request_text() const;
};

inline std::string CallNote::request_text() const {
  const Request* of = request.load(std::memory_order_acquire);
  if (of == nullptr || of != written.load(std::memory_order_relaxed)) return {};
  const NotedRequest copy = line;  // the writer may change it while we read
  return copy.text();
}

constexpr std::uint64_t make_module_tag(std::uint32_t module_index, std::uint32_t generation) {
  return (std::uint64_t{generation} << 32) | (module_index + 1);
}

constexpr std::uint32_t noted_index(std::uint64_t tag) {
  return static_cast<std::uint32_t>(tag) - 1;
}

constexpr std::uint32_t noted_generation(std::uint64_t tag) {
  return static_cast<std::uint32_t>(tag >> 32);
}

// Notes a call while this object lives. Calls nest: the destructor restores the note of the outer call.
class NotedCall {
 public:
  NotedCall(CallNote& note, std::uint64_t tag, const Request* request = nullptr)
      : note_(note),
        tag_before_(note.module_tag.load(std::memory_order_relaxed)),
        request_before_(note.request.load(std::memory_order_relaxed)) {
    note_request(request);
    if (note_.last.load(std::memory_order_relaxed) != tag) {
      note_.last.store(tag, std::memory_order_relaxed);
      note_.changes.store(note_.changes.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    note_.module_tag.store(tag, std::memory_order_relaxed);
  }
  ~NotedCall() {
    note_.module_tag.store(tag_before_, std::memory_order_relaxed);
    if (note_.written.load(std::memory_order_relaxed) == request_before_)
      note_.request.store(request_before_, std::memory_order_relaxed);
    else
      note_request(request_before_);
  }
  NotedCall(const NotedCall&) = delete;
  NotedCall& operator=(const NotedCall&) = delete;

 private:
  // Until `written` is stored, the line is not read as this request's.
  void note_request(const Request* request) {
    note_.request.store(request, std::memory_order_relaxed);
    if (request == nullptr) return;
    note_.line.set(*request);
    note_.written.store(request, std::memory_order_relaxed);
  }

  CallNote& note_;
  std::uint64_t tag_before_;
  const Request* request_before_;
};

}  // namespace sluice
