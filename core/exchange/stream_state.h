// The states of a stream, its events, and the table of transitions. A stream has one request, or one after
// another.
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
// Pure data. Only `Stream::transition` writes a state.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

enum class StreamState : std::uint8_t {
  parsing,       // there is no request yet, or its head is incomplete
  identifying,   // the head is complete, and its site has to be found
  preparing,     // filters and handler make the answer, now or later
  transmitting,  // the answer is sent, and the rest of the request's body comes in
  ended,         // the stream holds nothing of a module
};
inline constexpr unsigned kStreamStates = 5;

enum class StreamEvent : std::uint8_t {
  head_complete,
  head_refused,  // the server itself answers: 400, 408, 414, 431, 501, 505
  routed,
  unrouted,  // the server itself answers: 308, 400, 404, 421
  deferred,
  parked,   // the answer's body waits for its module
  resumed,  // the module has woken its task, its reader or its body
  answered,
  replaced,  // the answer cannot be completed, and nothing of it was sent: an error page replaces it
  sent_keeping,
  sent_closing,
  cut,     // the client is gone, a deadline passed, or the answer cannot be completed: everything is cancelled
  reused,  // for another client
};
inline constexpr unsigned kStreamEvents = 13;

// The state after the event; nullopt if the event must not happen in this state.
std::optional<StreamState> next_state(StreamState state, StreamEvent event);

std::string_view state_name(StreamState state);
std::string_view event_name(StreamEvent event);

// What an idle stream or connection waits for.
enum class WaitingFor : std::uint8_t {
  nothing,
  client_bytes,
  socket_room,
  handler,  // a deferred answer, a parked body or a paused reader
  turn,     // its share of this turn of the loop is used up
};

}  // namespace sluice
