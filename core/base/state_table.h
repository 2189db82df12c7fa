// A state machine as a table that the compiler makes of its rules. Pure data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sluice {

template <typename State, typename Event>
struct StateRule {
  State from;
  Event event;
  State to;
};

// States and events are enums that count from 0.
template <typename State, typename Event, unsigned kStateCount, unsigned kEventCount>
class StateTable {
 public:
  template <std::size_t kRules>
  explicit constexpr StateTable(const StateRule<State, Event> (&rules)[kRules]) {
    for (auto& row : next_) row.fill(kNone);
    for (const auto& rule : rules)
      next_[static_cast<unsigned>(rule.from)][static_cast<unsigned>(rule.event)] =
          static_cast<std::int8_t>(rule.to);
  }
  // Nothing when the event must not happen in that state.
  constexpr std::optional<State> next(State state, Event event) const {
    const std::int8_t next = next_[static_cast<unsigned>(state)][static_cast<unsigned>(event)];
    if (next == kNone) return std::nullopt;
    return static_cast<State>(next);
  }

 private:
  static constexpr std::int8_t kNone = -1;
  std::array<std::array<std::int8_t, kEventCount>, kStateCount> next_{};
};

}  // namespace sluice
