// One-shot timers of any duration, for modules and for the server's own rare needs. Loop thread only.
#pragma once

#include <sluice/handler.h>

#include <cstdint>
#include <map>
#include <unordered_map>

namespace sluice {

class Timers {
 public:
  // `timer` stays the caller's and must live until it has fired or was cancelled.
  TimerId start(std::uint64_t due_ms, Timer& timer);
  // A timer that is spent or unknown is ignored.
  void cancel(TimerId id);
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  std::uint64_t next_due_ms() const { return due_.empty() ? kNone : due_.begin()->first; }
  // Fires what is due now, so many at most: the others are still due. What a timer starts meanwhile waits for
  // the next call, too.
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
