// One client's connection: from accept to close, in the states of connection_state. It knows when its socket is
// ready, how much of a turn it may use, and how long to wait; what the bytes mean is its session's business.
//
// `advance` runs steps until one has to wait; every step returns to it and none calls up. An idle connection is
// this object alone: a session, with its buffers, is lent to it while it is at work. Loop thread. Owned by the
// ConnectionTable; it is destroyed at the end of the turn in which it closed.
//
// INVARIANT: state_ is written by `transition` only. INVARIANT: whenever advance returns, a deadline is armed,
// its own or a stream's, or the connection is ready to run in the next turn.
#pragma once

#include <memory>
#include <optional>

#include "base/out_of_memory.h"
#include "connection/channel.h"
#include "connection/connection_state.h"
#include "connection/session.h"
#include "loop/deadlines.h"
#include "loop/event_loop.h"
#include "settings/settings.h"

namespace sluice {

class Connection;

// The owner of connections: it lends them sessions, and destroys them.
class ConnectionOwner {
 public:
  virtual std::unique_ptr<Session> take_session() = 0;
  virtual void give_session(std::unique_ptr<Session> session) = 0;
  // Never 0.
  virtual std::uint32_t next_serial() = 0;
  // Has the connection `try_again` in a while.
  virtual void retry(std::uint32_t index) = 0;
  // It is no longer needed, and may be destroyed at the end of the turn.
  virtual void closed(std::uint32_t index) = 0;

 protected:
  ~ConnectionOwner() = default;
};

class Connection final : public Pollable,
                         public DeadlineNode,
                         public Ready,
                         public Reapable,
                         private SessionHost {
 public:
  Connection(EventLoop& loop, const Limits& limits, ConnectionOwner& owner, std::uint32_t index,
             UniqueFd socket);
  ~Connection() override;

  // Begins with what has arrived already.
  void start();
  // A handler has news for the stream of that ticket: goes on in the coming ready phase, if there still is one,
  // and it is that module's.
  void wake(Ticket ticket, const ModuleInstance& by);
  // The kernel may have memory again for what it could not take.
  void try_again();
  // Closes it if it is between two requests.
  bool close_if_idle();
  // The same in favour of another client: not when something has arrived that nobody has looked at yet.
  bool give_way();
  // Closes an answer without a known end that waits for its module, if there is one.
  bool end_stream();
  // Closes it at once, whatever it does.
  void cut();

  State state() const { return state_; }
  WaitingFor waiting_for() const { return waiting_for_; }
  // It owns no buffer, no parser and no exchange.
  bool is_idle() const { return session_ == nullptr; }

 private:
  enum class Step : std::uint8_t { go_on, wait };

  void on_events(std::uint32_t events) override;
  void on_deadline(DeadlineKind kind) override;
  void on_ready() override;
  Ticket begin_request() override;
  void run_again() override { loop_.make_ready(*this); }
  void stream_is_late(DeadlineKind kind) override;

  // Everything that the loop or a listener calls passes here: without memory, this connection ends.
  template <typename Call>
  void enter(Call&& call) {
    if (!unless_out_of_memory("memory is used up: a connection is closed", call) && state_ != State::closed)
      give_up();
  }
  void take_events(std::uint32_t events);
  void be_late(DeadlineKind kind);

  // What advance is made of.
  void run();  // advance with a new share of the turn
  void advance();
  Step run_state();
  void transition(Event event);
  Step wait_for(WaitingFor what);
  Step establish();
  Step serve();
  Step terminate();
  Step follow(Session::Next next);
  Step rest();
  bool linger();  // true when there is nothing to wait for
  bool sends_on() const;
  Io flush();
  Step lose();
  Step lose_client(bool at_work);
  void close();

  // Before it waits: registers with the kernel, and arms a deadline.
  void settle();
  bool watch();
  void give_up();
  std::optional<DeadlineKind> own_deadline(bool sends) const;
  bool client_is_stuck();
  bool takes_nothing();

  EventLoop& loop_;
  const Limits& limits_;
  ConnectionOwner& owner_;
  Channel channel_;
  std::unique_ptr<Session> session_;
  EventLoop::Token token_ = EventLoop::kNoToken;
  std::uint64_t acknowledged_ = 0;  // by the client, when it was asked for at looked_ms_
  std::uint64_t looked_ms_;
  std::uint32_t index_;
  std::uint32_t queued_ = 0;  // what the client had not acknowledged at the last look
  std::uint8_t looks_ = 0;    // without the client having taken anything
  State state_ = State::establishing;
  WaitingFor waiting_for_ = WaitingFor::nothing;
  bool served_ : 1 = false;  // one request at least
  bool lingering_ : 1 = false;
  bool abort_ : 1 = false;        // close with a reset
  bool outstanding_ : 1 = false;  // the client had not acknowledged all, at looked_ms_
  bool starved_ : 1 = false;      // the owner has it try again
};

}  // namespace sluice
