// A session speaks one protocol over a connection's channel. The connection table lends it to a connection that
// is at work, and reuses it afterwards.
//
// Loop thread. Owned by the connection that it serves, otherwise by the connection table.
#pragma once

#include <cstdint>
#include <string>

#include "connection/channel.h"
#include "exchange/stream_state.h"
#include "loop/deadlines.h"
#include "module/module_instance.h"

namespace sluice {

// What a session needs from its connection, besides the channel.
class SessionHost {
 public:
  // The head of a request has come. Returns the request's ticket, by which Host::resume finds the connection.
  virtual Ticket begin_request() = 0;
  // Makes the session go on in the next turn, whatever it waits for.
  virtual void run_again() = 0;
  // A stream's deadline has passed. The connection calls `be_late`, goes on, and may have given the session
  // back when this returns.
  virtual void stream_is_late(DeadlineKind kind) = 0;

 protected:
  ~SessionHost() = default;
};

class Session : public Reapable {
 public:
  // What the connection does next.
  enum class Next : std::uint8_t {
    wait,   // it waits for waiting_for()
    idle,   // it waits for another request, and may give the session back meanwhile
    end,    // it sends the output, then it closes
    cut,    // it closes with a reset
    leave,  // as `cut`, because the client has left
    http2,  // the bytes that have come are for a session of HTTP/2
  };

  // Begins to serve a connection, until `reset`.
  virtual void attach(Channel& channel, SessionHost& host) = 0;
  // Cancels everything, gives the buffers and excess memory back, and makes the session ready for another
  // connection.
  virtual void reset() = 0;
  // The session gets a new share of the turn.
  virtual void begin_turn() = 0;
  // Goes on as far as it can.
  virtual Next advance() = 0;
  virtual WaitingFor waiting_for() const = 0;
  // The module of `by` has resumed the request of this ticket. false if that request has ended.
  virtual bool wake(Ticket ticket, const ModuleInstance& by) = 0;
  // A stream's deadline has passed.
  virtual Next be_late(DeadlineKind kind) = 0;
  // The head of a request did not come in time.
  virtual Next refuse_late_head() = 0;
  // The client speaks HTTP in clear text where TLS is spoken, and has said this.
  virtual void refuse_plain_http(std::string said) = 0;
  // Closes an answer without a known end that waits for its module. Returns `wait` if there is none.
  virtual Next close_endless() = 0;
  // Cancels everything, and discards the output. Modules are told that it has ended so.
  virtual void cut(Ending ending) = 0;
  // Sets the deadlines of streams before the connection waits. `sends`: output waits for the client.
  // `received`: bytes have come since the last call.
  virtual void settle(bool sends, bool received) = 0;

  // The connection is idle. Gives back what it does not need, and returns whether the session itself may be
  // given back, too. Otherwise the session rests until the next `advance`.
  virtual bool rest() { return true; }
  virtual bool is_resting() const { return false; }
  // The connection is about to end, while no request is at work.
  virtual void say_goodbye() {}
  // The worker is about to end: the client should ask elsewhere. Returns whether the session has to run.
  virtual bool ask_to_leave() { return false; }
  // Whether another connection can have the session after `reset`.
  virtual bool is_reusable() const { return true; }

  // Whether no request is at work.
  virtual bool is_between() const = 0;
  // Whether a request has come since `attach`.
  virtual bool has_served() const = 0;
  // Whether the session waits only for its next turn, so that it needs no deadline.
  virtual bool only_takes_turns() const = 0;

  // Whether the connection reads on before it closes, so that the client gets the answer.
  bool lingers() const { return lingers_; }
  Input& input() { return input_; }
  Output& output() { return output_; }
  const Output& output() const { return output_; }

 protected:
  Session(InputBuffers& inputs, BufferPool& outputs) : input_(inputs), output_(outputs) {}

  Input input_;
  Output output_;
  bool lingers_ = false;
};

}  // namespace sluice
