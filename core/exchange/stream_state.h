// The states of a stream, which is one request after another or a single one, what can happen in them, and
// where that leads: the whole machine in one table.
//
//               head_complete              routed
//   parsing ───────────────► identifying ──────────┐
//    ▲   │                        │ unrouted       ▼
//    │   └────────────────────────┴─────────► preparing ◄─┐ deferred, resumed
//    │      head_refused                          │   └───┘
//    │                                   answered │ ▲
//    │ sent_keeping                               ▼ │ replaced
//    ├────────────────────────────────────── transmitting ◄─┐ parked, resumed
//    │                                            │   └─────┘
//    │ reused             cut (in every state)    │ sent_closing
//    └─────────────────────── ended ◄─────────────┘
//
// Pure data. `Stream::transition` is the only one to write a state.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

enum class StreamState : std::uint8_t {
  parsing,       // no request yet, or a head that is not whole
  identifying,   // a whole head: which handler is it for?
  preparing,     // the handler makes its answer, now or later
  transmitting,  // the answer leaves, and the rest of the request's body comes in
  ended,         // nothing of a module is held any more
};
inline constexpr unsigned kStreamStates = 5;

enum class StreamEvent : std::uint8_t {
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
  cut,     // lost, timed out in mid-answer, or an answer that cannot be completed: everything is cancelled
  reused,  // for another client
};
inline constexpr unsigned kStreamEvents = 13;

// Where the event leads, nothing when it must not happen in that state.
std::optional<StreamState> next_state(StreamState state, StreamEvent event);

std::string_view state_name(StreamState state);
std::string_view event_name(StreamEvent event);

// What a stream, or a connection, that does nothing waits for.
enum class WaitingFor : std::uint8_t {
  nothing,
  client_bytes,
  socket_room,
  handler,  // a deferred answer, or a parked body: disk, or whatever its module waits for
  turn,     // its share of this turn of the loop is used up
};

}  // namespace sluice
