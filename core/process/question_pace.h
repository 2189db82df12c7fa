// How often a worker may ask its supervisor. A worker asks less than that: its modules' questions share
// messages. One that asks more is out of control, and must not keep the supervisor busy.
//
// Values; one thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace sluice {

class QuestionPace {
 public:
  static constexpr std::uint64_t kAtOnce = 60;
  static constexpr std::uint64_t kMsEach = 20;

  // Whether a question that comes now may be answered. `now_ms` never goes back.
  bool admits(std::uint64_t now_ms) {
    spent_until_ms_ = std::max(spent_until_ms_, now_ms) + kMsEach;
    if (spent_until_ms_ <= now_ms + kAtOnce * kMsEach) return true;
    spent_until_ms_ -= kMsEach;
    return false;
  }

 private:
  std::uint64_t spent_until_ms_ = 0;
};

}  // namespace sluice
