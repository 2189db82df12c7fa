// A session speaks one protocol over a connection's channel. The connection table lends it to a connection that
// is at work, and reuses it afterwards.
//
// Loop thread. Owned by its connection meanwhile, else by the connection table.
#pragma once

#include <cstdint>

#include "connection/channel.h"
#include "exchange/stream_state.h"
#include "loop/deadlines.h"
#include "module/module_instance.h"

namespace sluice {

// What a session needs of its connection, besides the channel.
class SessionHost {
 public:
  // A request has come, so its head is no longer waited for. Returns its ticket, by which a handler that calls
  // to be resumed finds the connection.
  virtual Ticket begin_request() = 0;
  // The session goes on in the next turn, whatever it waits for.
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
    wait,   // it waits for what `waiting_for` names
    idle,   // it waits for another request, and may give the session back meanwhile
    end,    // it sends what is in the output, then it closes
    cut,    // it closes with a reset
    leave,  // as `cut`, because the client has left
  };

  // Begins to serve that connection, until `reset`.
  virtual void attach(Channel& channel, SessionHost& host) = 0;
  // Ready for another connection, without buffers, and bounded.
  virtual void reset() = 0;
  // The turn begins: a new share of it.
  virtual void begin_turn() = 0;
  // Goes on as far as it can.
  virtual Next advance() = 0;
  virtual WaitingFor waiting_for() const = 0;
  // The handler of that stream has news; false when there is no such stream any more.
  virtual bool wake(Ticket ticket, const ModuleInstance& by) = 0;
  // A stream has waited for too long.
  virtual Next be_late(DeadlineKind kind) = 0;
  // A whole request has not come in time.
  virtual Next refuse_late_head() = 0;
  // Closes an answer without a known end that waits for its module, if it has one; else `wait`.
  virtual Next close_endless() = 0;
  // Everything is cancelled, and what was to be sent is thrown away.
  virtual void cut() = 0;
  // Before its connection waits: deadlines of streams. `sends`: output waits for the client.
  virtual void settle(bool sends, bool received) = 0;

  // No request is at work.
  virtual bool is_between() const = 0;
  // A request is at work, or has been.
  virtual bool has_served() const = 0;
  // It waits for its share only, which comes for certain: no deadline is needed.
  virtual bool only_takes_turns() const = 0;

  // Close only after reading on, so that the client gets the answer.
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
