// A connection's bytes, as its session sees them: what has come, what the socket takes, and how much of this
// turn is left for both.
//
// Loop thread. Owned by its connection, which tells it of events.
#pragma once

#include <algorithm>
#include <utility>

#include "loop/event_loop.h"
#include "transport/input.h"
#include "transport/output.h"
#include "transport/transport.h"

namespace sluice {

class Channel {
 public:
  Channel(EventLoop& loop, UniqueFd socket) : loop_(loop), transport_(std::move(socket)) {}

  Transport& transport() { return transport_; }
  const Transport& transport() const { return transport_; }
  // Bytes that may still be moved in this turn.
  std::uint64_t& budget() { return budget_; }

  // Whether receiving may bring something.
  bool input_ready() const { return input_ready_; }
  // Whether sending may.
  bool output_ready() const { return output_ready_; }
  void output_is_full() { output_ready_ = false; }
  // The client has ended its side, and all that it sent has been received.
  bool input_ended() const { return input_ended_; }
  // The client has sent its last byte, be it received or not.
  bool client_has_ended() const { return read_to_end_ || input_ended_; }

  void take_events(std::uint32_t events);
  // The kernel may have memory again for what it could not take.
  void try_again() { input_ready_ = output_ready_ = true; }
  // Whether anything was received since the call before.
  bool take_received() { return std::exchange(received_, false); }

  // full: nothing has arrived. ok may mean that the client has ended.
  Io receive(Input& input);
  Io flush(Output& output);

 private:
  EventLoop& loop_;
  Transport transport_;
  std::uint64_t budget_ = 0;
  bool input_ready_ = true;
  bool announced_ = false;  // what is received next had begun to arrive before this turn
  bool output_ready_ = true;
  bool read_to_end_ = false;  // the peer has closed or reset: a short read need not be the last
  bool input_ended_ = false;
  bool received_ = false;
};

}  // namespace sluice
