// The states of a connection, its events, and the table of transitions.
//
//                 opened            ended                  finished
//   establishing ───────► open ─────────────► terminating ─────────► closed
//        │                 │                    ▲    │ ▲
//        │ ended, lost     │ lost               │    └─┘ lost
//        └─────────────────┴────────────────────┘
//
// Pure data. Only `Connection::transition` writes a state.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

enum class State : std::uint8_t {
  establishing,  // accepted; the header of a proxy and the handshake of TLS come first
  open,          // a session serves it, or it waits for a request
  terminating,   // the output is sent, then the socket closes
  closed,
};
inline constexpr unsigned kStates = 4;

enum class Event : std::uint8_t {
  opened,
  ended,  // the client, the server, an answer or a refused handshake ends the connection in order
  lost,   // the client is gone, a deadline passed, or an answer cannot be completed: the connection is reset
  finished,
};
inline constexpr unsigned kEvents = 4;

// The state after the event; nullopt if the event must not happen in this state.
std::optional<State> next_state(State state, Event event);

// The state after an event that must not happen. It leads to the connection's end; a closed one stays closed.
State state_after_fault(State state);

std::string_view state_name(State state);
std::string_view event_name(Event event);

}  // namespace sluice
