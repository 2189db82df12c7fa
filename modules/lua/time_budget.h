// The processor time that a piece of work may take on its thread. A machine that is busy with something else
// does not count against it. One thread at a time.
#pragma once

#include <cstdint>
#include <ctime>

namespace sluice::lua {

class TimeBudget {
 public:
  void begin(std::uint64_t time_ms) {
    limit_ns_ = time_ms * 1'000'000;
    used_before_ns_ = read_ns(CLOCK_THREAD_CPUTIME_ID);
    look_ns_ = read_ns(CLOCK_MONOTONIC) + limit_ns_;
  }
  // The thread's own clock costs a system call, so it is read only when so much time has passed that the
  // budget may be spent.
  bool is_spent() {
    const std::uint64_t now_ns = read_ns(CLOCK_MONOTONIC);
    if (now_ns < look_ns_) return false;
    const std::uint64_t used_ns = read_ns(CLOCK_THREAD_CPUTIME_ID) - used_before_ns_;
    if (used_ns >= limit_ns_) return true;
    look_ns_ = now_ns + (limit_ns_ - used_ns);
    return false;
  }

 private:
  static std::uint64_t read_ns(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
  }

  std::uint64_t limit_ns_ = 0;
  std::uint64_t used_before_ns_ = 0;
  std::uint64_t look_ns_ = 0;  // of CLOCK_MONOTONIC
};

}  // namespace sluice::lua
