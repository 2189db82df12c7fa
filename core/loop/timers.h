// One-shot timers of any duration, for modules and for rare needs of the server. Loop thread only.
#pragma once

#include <sluice/handler.h>

#include <cstdint>
#include <map>
#include <unordered_map>

namespace sluice {

class Timers {
 public:
  // `timer` stays the caller's. It must live until it has fired or was cancelled.
  TimerId start(std::uint64_t due_ms, Timer& timer);
  // Ignores a timer that has fired, or an unknown one.
  void cancel(TimerId id);
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  std::uint64_t next_due_ms() const { return due_.empty() ? kNone : due_.begin()->first; }
  // Fires due timers, at most kFiredMax: the others stay due. A timer that is started meanwhile waits for the
  // next call.
  static constexpr unsigned kFiredMax = 64;
  void expire(std::uint64_t now_ms);

 private:
  struct Entry {
    std::uint64_t id;
    Timer* timer;
  };
  using Queue = std::multimap<std::uint64_t, Entry>;

  Queue due_;
  std::unordered_map<std::uint64_t, Queue::iterator> by_id_;
  std::uint64_t last_id_ = 0;
};

}  // namespace sluice
