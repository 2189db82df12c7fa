// The states of a connection, what can happen in them, and where that leads: the whole machine in one table.
//
//                 opened            ended                  finished
//   establishing ───────► open ─────────────► terminating ─────────► closed
//        │                 │                    ▲    │ ▲
//        │ lost            │ lost               │    └─┘ lost
//        └─────────────────┴────────────────────┘
//
// Pure data. `Connection::transition` is the only one to write a state.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

enum class State : std::uint8_t {
  establishing,  // accepted, nothing read yet
  open,          // its session has it, or it waits for a request
  terminating,   // what is in the output leaves, then the socket closes
  closed,
};
inline constexpr unsigned kStates = 4;

enum class Event : std::uint8_t {
  opened,
  ended,  // nothing more is to come of it: the client's end, the server's, or an answer that closes
  lost,   // reset, timed out, or an answer that cannot be completed: it ends with a reset
  finished,
};
inline constexpr unsigned kEvents = 4;

// Where the event leads, nothing when it must not happen in that state.
std::optional<State> next_state(State state, Event event);

// Where a connection goes on after an event that must not happen: towards its end, and never back from it.
State state_after_fault(State state);

std::string_view state_name(State state);
std::string_view event_name(Event event);

}  // namespace sluice
