// The states of a connection, what can happen in them, and where that leads: the whole machine in one table.
//
//                    opened                head_complete             routed
//   establishing ─────────────► parsing ─────────────────► identifying ──────┐
//                                 ▲ │ head_refused              │ unrouted   ▼
//                                 │ └───────────────────────────┴───────► preparing ◄─┐ deferred, resumed
//                                 │ sent_keeping                             │ └──────┘
//                                 └──────────────────── transmitting ◄───────┘ answered
//                                                          │    ▲ │ parked, resumed
//                              lost, ended                 │    └─┘        replaced: preparing again
//   (every state) ───────────► terminating ◄───────────────┘ sent_closing
//                                 │ finished
//                                 ▼
//                              closed
//
// Pure data. `Connection::transition` is the only one to write a state.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

enum class State : std::uint8_t {
  establishing,  // accepted, nothing read yet
  parsing,       // between requests, or in the middle of a head
  identifying,   // a whole head: which handler is it for?
  preparing,     // the handler makes its answer, now or later
  transmitting,  // the answer leaves, and the rest of the request's body comes in
  terminating,   // what is in the output leaves, then the socket closes
  closed,
};
inline constexpr unsigned kStates = 7;

enum class Event : std::uint8_t {
  opened,
  head_complete,
  head_refused,  // the server answers it itself: 400, 408, 414, 431, 501, 505
  routed,
  unrouted,  // the server answers it itself: 301, 400, 404
  deferred,
  parked,   // a body waits for its handler
  resumed,  // the handler has woken its task, its reader or its body
  answered,
  replaced,  // nothing of the answer has left, and it cannot be completed: another is made
  sent_keeping,
  sent_closing,
  ended,  // the client has no further request, or is not waited for any longer
  lost,   // reset, timed out in mid-answer, or an answer that cannot be completed: everything is cancelled
  finished,
};
inline constexpr unsigned kEvents = 15;

// Where the event leads, nothing when it must not happen in that state.
std::optional<State> next_state(State state, Event event);

// Where a connection goes on after an event that must not happen: towards its end, and never back from it.
State state_after_fault(State state);

std::string_view state_name(State state);
std::string_view event_name(Event event);

// What a connection that does nothing waits for.
enum class WaitingFor : std::uint8_t {
  nothing,
  client_bytes,
  socket_room,
  handler,  // a deferred answer, or a parked body: disk, or whatever its module waits for
  turn,     // its share of this turn of the loop is used up
};

}  // namespace sluice
