// One client's connection: the state machine that takes it from accept to close, request after request.
//
// `advance` runs steps, one a state, until one has to wait; every step returns to it and none calls up. An idle
// connection is this object alone: buffers, parser and exchange are lent to it while it is at work. Loop
// thread. Owned by the ConnectionTable; it is destroyed at the end of the turn in which it closed.
//
// INVARIANT: state_ is written by `transition` only. INVARIANT: whenever advance returns, a deadline is armed
// or the connection is ready to run in the next turn.
#pragma once

#include <memory>
#include <vector>

#include "connection/connection_state.h"
#include "exchange/exchange.h"
#include "http/http_date.h"
#include "loop/deadlines.h"
#include "loop/event_loop.h"
#include "module/router.h"
#include "transport/input.h"
#include "transport/output.h"
#include "transport/transport.h"

namespace sluice {

class ConnectionTable;
struct Http1Session;

// What all connections of a worker use; lives longer than they do.
struct ConnectionContext {
  EventLoop& loop;
  const Router& router;
  const Limits& limits;
  WorkerStats& stats;
  HttpDate& date;
  BufferPool& inputs;
  BufferPool& outputs;
  bool draining = false;        // answer what comes, but keep no connection
  bool ending_streams = false;  // those without a known end are closed when they wait
};

class Connection final : public Pollable,
                         public DeadlineNode,
                         public Ready,
                         public Reapable,
                         private ExchangeDriver {
 public:
  Connection(ConnectionContext& context, ConnectionTable& table, std::uint32_t index, UniqueFd socket);
  ~Connection() override;

  // Begins with what has arrived already.
  void start();
  // Its handler has news: goes on in the coming ready phase, if this is still the exchange of that number, and
  // one of that module.
  void wake(std::uint32_t serial, const ModuleInstance& by);
  // The kernel may have memory again for what it could not take.
  void try_again();
  // Closes it if it is between two requests.
  bool close_if_idle();
  // The same in favour of another client: not when something has arrived that nobody has looked at yet.
  bool give_way();
  // Closes it if its answer is a stream without a known end that waits for its module.
  bool end_stream();
  // Closes it at once, whatever it does.
  void cut();

  State state() const { return state_; }
  WaitingFor waiting_for() const { return waiting_for_; }
  // It owns no buffer, no parser and no exchange.
  bool is_idle() const { return session_ == nullptr; }

 private:
  friend class ConnectionTable;
  enum class Step : std::uint8_t { go_on, wait };
  // Requests that one connection may have answered in one turn, so that a pipeline of tiny ones is fair, too.
  static constexpr std::uint16_t kTurnRequestsMax = 64;

  void on_events(std::uint32_t events) override;
  void on_deadline(DeadlineKind kind) override;
  void on_ready() override;
  Ticket exchange_ticket() override;
  std::string client_name() override { return transport_.peer_name(); }

  // Everything that the loop or a listener calls passes here: without memory, this connection ends.
  template <typename Call>
  void enter(Call&& call);
  void take_events(std::uint32_t events);
  void be_late(DeadlineKind kind);
  void be_late_with_answer(DeadlineKind kind);

  // What advance is made of.
  void run();  // advance with a new share of the turn
  void advance();
  Step run_state();
  void transition(Event event);
  Step wait_for(WaitingFor what);
  void settle();  // arms a deadline and registers, before advance returns
  DeadlineKind deadline_kind() const;
  bool drains_body() const;
  bool sends_on() const;
  bool postponed(DeadlineKind kind);  // it has made the progress that this deadline is about
  bool client_is_stuck();
  bool takes_nothing();
  void give_up();

  // One step a state.
  Step establish();
  Step parse();
  Step identify();
  Step prepare();
  Step transmit();
  Step terminate();

  // What the steps are made of.
  Step refuse(std::uint32_t status);
  void answer_unrouted(std::uint32_t status);
  Step drain_before_answer();
  Step begin_answer();
  bool may_keep() const;
  Step pump_answer();
  Step fail_answer();
  Step break_contract(std::string_view what);
  bool waits_in_stream() const;
  Step close_stream();
  Step finish_request_body();
  Step finish_exchange();
  bool move_request_body();  // false: the request's body ended too early
  void owe_continue();
  bool linger();  // true when there is nothing to wait for
  Io receive();
  Io flush();
  bool client_has_ended() const { return read_to_end_ || input_ended_; }
  Step lose();
  Step lose_client();
  void close();
  void rest();  // gives back what an idle connection does not need

  ConnectionContext& context_;
  ConnectionTable& table_;
  Transport transport_;
  std::unique_ptr<Http1Session> session_;
  EventLoop::Token token_ = EventLoop::kNoToken;
  std::uint64_t acknowledged_ = 0;  // by the client, when it was asked for at looked_ms_
  std::uint64_t looked_ms_;
  std::uint64_t budget_ = 0;  // bytes that may still be sent in this turn
  std::uint32_t index_;
  std::uint32_t serial_ = 0;         // of the exchange; 0 between two
  std::uint32_t queued_ = 0;         // what the client had not acknowledged at the last look
  std::uint16_t requests_left_ = 0;  // in this turn
  std::uint8_t looks_ = 0;           // without the client having taken anything
  State state_ = State::establishing;
  WaitingFor waiting_for_ = WaitingFor::nothing;
  bool input_ready_ : 1 = true;   // receiving may bring something
  bool announced_ : 1 = false;    // what is received next had begun to arrive before this turn
  bool output_ready_ : 1 = true;  // sending may take something
  bool read_to_end_ : 1 =
      false;  // the peer has closed or reset: a short read does not mean that it was the last
  bool input_ended_ : 1 = false;  // the client has sent its last byte
  bool served_ : 1 = false;       // one request at least
  bool woken_ : 1 = false;        // by its handler
  bool received_ : 1 = false;     // bytes came since the deadline was armed
  bool wrote_ : 1 = false;        // its body has written since then
  bool linger_ : 1 = false;       // close only after reading on, so that the client gets the answer
  bool lingering_ : 1 = false;
  bool abort_ : 1 = false;        // close with a reset
  bool outstanding_ : 1 = false;  // the client had not acknowledged all, at looked_ms_
  bool starved_ : 1 = false;      // the table has it try again
};

// The connections of one worker, by index.
class ConnectionTable final : public Resumer, private Timer {
 public:
  explicit ConnectionTable(ConnectionContext& context);
  ~ConnectionTable();

  // Takes the socket and starts. REQUIRES: the socket is non-blocking.
  void accept(UniqueFd socket);
  void resume(Ticket ticket, const ModuleInstance& from) override;
  // Closes so many at most of those that are between two requests; whether there may be more.
  static constexpr unsigned kIdleClosedMax = 64;
  bool close_idle();
  // Closes the connection that has been without a request for longest, at once; false when none is.
  bool make_room();
  // Closes so many at most of the streams without a known end that wait; whether there may be more.
  bool end_streams();
  // Ends all of them at once.
  void close_all();
  std::size_t size() const { return open_; }
  const Connection* at(std::uint32_t index) const {
    return index < slots_.size() ? slots_[index].get() : nullptr;
  }

 private:
  friend class Connection;
  void fired() override;
  static constexpr std::size_t kSpareMax = 256;
  void add_slot();
  void remove(Connection& connection);
  // Has the connection try again in a while; in a longer one, when many tries in a row were in vain.
  void retry(const Connection& connection);
  std::uint32_t next_serial() { return ++last_serial_ == 0 ? ++last_serial_ : last_serial_; }
  std::unique_ptr<Http1Session> take_session();
  void give_session(std::unique_ptr<Http1Session> session);

  ConnectionContext& context_;
  std::vector<std::unique_ptr<Connection>> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::unique_ptr<Http1Session>> spare_;
  std::size_t open_ = 0;
  std::size_t idle_from_ = 0;     // where the search for idle ones goes on
  std::size_t streams_from_ = 0;  // the same for streams
  std::uint32_t last_serial_ = 0;
  std::vector<std::uint32_t> starved_;
  TimerId retry_{};
  std::uint64_t retry_delay_ms_ = 0;
  std::uint64_t retried_ms_ = 0;
};

}  // namespace sluice
