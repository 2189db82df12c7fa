// What speaks a protocol over a connection's channel: lent to the connection while it is at work, and reused by
// others afterwards.
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
  // A request has come. Its ticket, by which a handler that calls to be resumed finds the connection.
  virtual Ticket begin_request() = 0;
  // The session goes on in the next turn, whatever it waits for.
  virtual void run_again() = 0;
  // A deadline of one of its streams has passed: `be_late` is called, with what follows.
  virtual void stream_is_late(DeadlineKind kind) = 0;

 protected:
  ~SessionHost() = default;
};

class Session {
 public:
  // What a call has come to.
  enum class Next : std::uint8_t {
    wait,   // for what `waiting_for` says; `run_again` where there is news
    rest,   // between two requests, with nothing in hand: it may be given back
    end,    // what is in the output leaves, then the connection ends
    cut,    // the connection ends with a reset
    leave,  // the same, for its client has left
  };

  virtual ~Session() = default;
  // Begins to serve that connection, until `rest`.
  virtual void attach(Channel& channel, SessionHost& host) = 0;
  // Ready for another connection, without buffers, and bounded.
  virtual void rest() = 0;
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
  Session(BufferPool& inputs, BufferPool& outputs) : input_(inputs), output_(outputs) {}

  Input input_;
  Output output_;
  bool lingers_ = false;
};

}  // namespace sluice
