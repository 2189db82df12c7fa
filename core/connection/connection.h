// One client's connection, from accept to close, in the states of connection_state. It knows when its socket is
// ready, how much of a turn it may use, and how long to wait. Its session interprets the bytes.
//
// `advance` runs steps until one has to wait. Steps return to it and do not call it. An idle connection is this
// object alone: it borrows a session, with its buffers, while it is at work. Loop thread. Owned by the
// ConnectionTable, and destroyed at the end of the turn in which it closed.
//
// INVARIANT: only `transition` writes state_. INVARIANT: whenever `advance` returns, the connection or its
// stream has a deadline, or the connection runs in the next turn.
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

// The owner of connections lends them sessions, and destroys them.
class ConnectionOwner {
 public:
  virtual std::unique_ptr<Session> take_session(bool http2) = 0;
  virtual void give_session(std::unique_ptr<Session> session) = 0;
  // Never 0.
  virtual std::uint32_t next_serial() = 0;
  // Calls the connection's `try_again` after a while.
  virtual void retry(std::uint32_t index) = 0;
  // Its handshake has failed, for this reason. `status`: what stands for that in the access log.
  virtual void handshake_failed(const Channel& channel, std::uint32_t index, std::uint32_t status,
                                std::string_view reason) = 0;
  // The connection has closed, and may be destroyed at the end of the turn.
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
             AcceptedSocket socket, const AddressContext& at);
  ~Connection() override;

  // Reads at once, because a request may have arrived already.
  void start();
  // The module of `by` resumes the request of this ticket, which goes on in the next ready phase. Ignored if
  // the request has ended, or belongs to another module.
  void wake(Ticket ticket, const ModuleInstance& by);
  // Tries to receive and send again after the kernel had no memory.
  void try_again();
  // Closes the connection if it is between two requests.
  bool close_if_idle();
  // The same in favour of another client, but not if unread bytes have arrived.
  bool give_way();
  // The worker is about to end. Asks a client that can be asked to go elsewhere, and closes its connection if
  // it is idle. Returns whether it was asked.
  bool ask_to_leave();
  // Closes an answer without a known end that waits for its module, if there is one.
  bool end_stream();
  // Closes the connection at once, in any state.
  void cut();

  State state() const { return state_; }
  WaitingFor waiting_for() const { return waiting_for_; }
  // Whether the connection waits for a request, and so has no buffers.
  bool is_idle() const { return session_ == nullptr || session_->is_resting(); }

 private:
  enum class Step : std::uint8_t { go_on, wait };

  void on_events(std::uint32_t events) override;
  void on_deadline(DeadlineKind kind) override;
  void on_ready() override;
  Ticket begin_request() override;
  void run_again() override { loop_.make_ready(*this, lengths_.average()); }
  void stream_is_late(DeadlineKind kind) override;

  // Every call by the loop or a listener passes here. If memory is used up, only this connection ends.
  template <typename Call>
  void enter(Call&& call) {
    if (!unless_out_of_memory("memory is used up: a connection is closed", call) && state_ != State::closed)
      give_up();
  }
  void take_events(std::uint32_t events);
  void be_late(DeadlineKind kind);

  // `advance` and its parts.
  void run();  // calls `advance` with a new share of the turn
  void advance();
  Step run_state();
  void transition(Event event);
  Step wait_for(WaitingFor what);
  Step establish();
  Step hear_proxy();
  // Whether the client may have another connection, and handshake.
  bool admit();
  void end_use(ClientUse use);
  // Whether it is in the middle of a handshake.
  bool is_shaking_hands() const {
    return state_ == State::establishing && !unheard_ && channel_.transport().is_secure() &&
           !channel_.transport().is_untouched();
  }
  void note_failed_handshake(std::uint32_t status, std::string_view reason);
  Step fail_handshake(std::uint32_t status, std::string_view reason);
  void take_session(bool http2);
  void change_to_http2();
  Step serve();
  Step terminate();
  Step follow(Session::Next next);
  Step rest();
  bool linger();  // true when the client has ended, so the socket can close
  bool sends_on() const;
  Io flush();
  Step lose(Ending ending = Ending::client_left);
  Step lose_client(bool at_work, Ending ending = Ending::client_left);
  void close();

  // Before the connection waits: registers with epoll, and arms a deadline.
  void settle();
  bool watch();
  void give_up(Ending ending = Ending::closed);
  std::optional<DeadlineKind> own_deadline(bool sends) const;
  bool client_is_stuck();
  bool takes_nothing();

  EventLoop& loop_;
  const Limits& limits_;
  ConnectionOwner& owner_;
  Channel channel_;
  std::unique_ptr<Session> session_;
  EventLoop::Token token_ = EventLoop::kNoToken;
  // Of numbers that only grow, the low bits are enough to compare two of them.
  std::uint32_t acknowledged_ = 0;  // how many bytes the client had acknowledged at looked_ms_
  std::uint32_t looked_ms_;
  std::uint32_t window_taken_ = 0;  // what it had taken when the window of its rate began, in kTakenUnit
  std::uint32_t look_taken_ = 0;    // and at the last look
  std::uint32_t index_;
  std::uint32_t client_ = ClientLimits::kNowhere;  // where the client is counted
  CallLengths lengths_;                            // of `run`
  std::uint8_t looks_ = 0;                         // in this window; 0: none has begun
  std::uint8_t idle_looks_ = 0;                    // looks in a row at which the client had taken nothing
  State state_ = State::establishing;
  WaitingFor waiting_for_ = WaitingFor::nothing;
  bool served_ : 1 = false;  // at least one request has come
  bool lingering_ : 1 = false;
  bool abort_ : 1 = false;        // close with a reset
  bool outstanding_ : 1 = false;  // some bytes were not acknowledged at looked_ms_
  bool starved_ : 1 = false;      // the owner will call try_again
  bool unheard_ : 1;              // a proxy's header has to come first
  bool judged_ : 1 = false;       // whether the client may have the connection
  bool shaking_ : 1 = false;      // its handshake is counted
};

}  // namespace sluice
