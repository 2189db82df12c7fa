#include "loop/timers.h"

#include "base/out_of_memory.h"

namespace sluice {

TimerId Timers::start(std::uint64_t due_ms, Timer& timer) {
  const std::uint64_t id = ++last_id_;
  const auto place = due_.emplace(due_ms, Entry{id, &timer});
  try {
    by_id_.emplace(id, place);
  } catch (...) {  // without memory, no timer is half started
    due_.erase(place);
    throw;
  }
  return TimerId{id};
}

void Timers::cancel(TimerId id) {
  const auto found = by_id_.find(id.value);
  if (found == by_id_.end()) return;
  due_.erase(found->second);
  by_id_.erase(found);
}

void Timers::expire(std::uint64_t now_ms) {
  const std::uint64_t newest = last_id_;
  auto next = due_.begin();
  for (unsigned left = kFiredMax; left > 0 && next != due_.end() && next->first <= now_ms;) {
    if (next->second.id > newest) {
      ++next;
      continue;
    }
    --left;
    Timer* timer = next->second.timer;
    by_id_.erase(next->second.id);
    due_.erase(next);
    unless_out_of_memory("memory is used up: what a timer had begun is left undone", [&] { timer->fired(); });
    next = due_.begin();  // the call may have cancelled any timer
  }
}

}  // namespace sluice
