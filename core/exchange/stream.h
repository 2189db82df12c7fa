// A request's way: identified, prepared, answered and transmitted, in steps, one a state; request after request
// where its session reuses it. It knows no socket: a session gives it a head, offers it the body, and carries
// its answer.
//
// Loop thread. Owned by its session.
//
// INVARIANT: state_ is written by `transition` only. INVARIANT: a handler's instance is held, and its body,
// task and reader live, from `identifying` to the end of `transmitting` at most.
#pragma once

#include <string>

#include "exchange/answer_sink.h"
#include "exchange/exchange.h"
#include "exchange/stream_state.h"
#include "loop/deadlines.h"
#include "loop/event_loop.h"
#include "module/router.h"
#include "settings/settings.h"

namespace sluice {

// What all streams of a worker use; lives longer than they do.
struct StreamContext {
  EventLoop& loop;
  const Router& router;
  const Limits& limits;
  WorkerStats& stats;
  bool ending_streams = false;  // answers without a known end are closed when they wait
};

// What a stream needs of the session that carries it.
class StreamCarrier : public ExchangeDriver {
 public:
  // Offers the body what has come of it, as long as it wants more; false when the client is gone.
  virtual bool fetch_body(RequestBody& body) = 0;
  // Asks the client for the body (100 Continue); false while there is no room for that.
  virtual bool send_continue() = 0;
  // Writes the head, or nothing. `goes_on`: the request's body does not stand in the way of another request.
  virtual Io begin_answer(ResponseHead& head, bool goes_on, BodyFraming& framing) = 0;
  // For one pump of the answer's content, until `close_sink`.
  virtual AnswerSink& open_sink(BodyFraming& framing) = 0;
  virtual void close_sink() = 0;
  // Nothing of the answer has left yet.
  virtual bool can_take_back_answer() const = 0;
  virtual void take_back_answer() = 0;
  // Ends the answer; the session may drop the request's head. Returns whether the connection is kept, so that
  // the stream parses again. `request_taken`: the request's body was read to its end.
  virtual bool end_answer(bool request_taken) = 0;

  // The client has sent its last byte, or has left.
  virtual bool client_has_ended() const = 0;
  // The client's side takes no more for now.
  virtual bool output_is_full() const = 0;
  virtual bool share_is_used_up() const = 0;
  // What the stream waits for has not come in time: calls `be_late`, and goes on.
  virtual void stream_is_late(DeadlineKind kind) = 0;

 protected:
  ~StreamCarrier() = default;
};

class Stream final : private DeadlineNode {
 public:
  Stream(const StreamContext& context, StreamCarrier& carrier) : context_(context), carrier_(carrier) {}

  StreamState state() const { return state_; }
  // In the middle of a request: a handler may be at work.
  bool is_at_work() const { return state_ != StreamState::parsing && state_ != StreamState::ended; }

  // A whole head has come. It lives until `end_answer`.
  void take_head(const RequestHead& head, std::uint64_t arrived_ns);
  // One that cannot be understood, or did not come in time: `head` is what is known of it.
  void refuse_head(const RequestHead& head, std::uint64_t arrived_ns, const Refusal& refusal);

  enum class Outcome : std::uint8_t {
    sent,         // the answer is complete: `parsing` or `ended`
    waits,        // for what `waiting_for` says
    closed,       // an endless answer was ended in order, without its last chunk
    cut,          // it cannot be completed, which the client has to notice
    client_left,  // the same, and nobody is left to notice it
  };
  // Goes on as far as it can. REQUIRES: is_at_work().
  Outcome advance();
  WaitingFor waiting_for() const { return waiting_for_; }
  // The handler has news, if it is of that module.
  bool wake(const ModuleInstance& by);
  // What it waited for has not come. `waits`: it goes on by `advance`.
  Outcome be_late(DeadlineKind kind);
  // An answer without a known end waits for its module.
  bool waits_endlessly() const;
  // Ends such an answer: `closed`, or `cut` where only the end of the connection ends the content.
  Outcome close_endless();
  // Everything is cancelled, in whatever state.
  void cut();
  // For another client. REQUIRES: ended, or parsing.
  void reuse();

  // Before the session waits. `sends`: output waits for the client, whose deadline it is then.
  // `received`: something has come since the call before.
  void settle(bool sends, bool received);
  // The body had room and wrote nothing, which it may not do for ever.
  bool is_stalled() const { return stalled_; }
  // A body that nobody wants is thrown away.
  bool drains_body() const { return state_ == StreamState::preparing && exchange_.body().draining(); }

 private:
  enum class Step : std::uint8_t { go_on, wait, sent, closed, cut, client_left };

  void on_deadline(DeadlineKind kind) override { carrier_.stream_is_late(kind); }
  void transition(StreamEvent event);
  void disarm() { context_.loop.deadlines().disarm(*this); }
  Step run_state();
  Step wait_for(WaitingFor what);
  Outcome come_to(Step step);

  // One step a state.
  Step identify();
  Step prepare();
  Step transmit();

  // What the steps are made of.
  void answer_unrouted(const Refusal& refusal);
  void owe_continue();
  Step drain_before_answer();
  Step begin_answer();
  Step pump_answer();
  Progress pump_content(AnswerSink& sink);
  Step judge_progress(AnswerSink& sink, Progress progress);
  Step end_endless() const;
  Step replace_answer();
  Step break_contract(std::string_view what);
  Step finish_request_body();
  Step finish();
  void forget_request();
  DeadlineKind kind_of_wait() const;
  bool has_progressed(DeadlineKind kind, bool received, bool wrote) const;

  const StreamContext& context_;
  StreamCarrier& carrier_;
  HttpExchange exchange_;
  BodyFraming framing_;
  std::string path_;                // decoded, where the target had to be
  std::uint64_t handled_ns_ = 0;    // when the handler was called, by the loop's clock
  std::uint64_t content_sent_ = 0;  // of Answer::content
  const RequestHead* head_ = nullptr;
  StreamState state_ = StreamState::parsing;
  WaitingFor waiting_for_ = WaitingFor::nothing;
  bool handled_ = false;       // the handler has been called
  bool woken_ = false;         // by its handler
  bool wrote_ = false;         // the body has written since the deadline was armed
  bool parked_ = false;        // the body waits to be resumed
  bool stalled_ = false;       // the body had room, wrote nothing, and wants to be called again
  bool content_done_ = false;  // the answer's body or content has been taken whole
  bool sent_ = false;          // and its framing too
};

}  // namespace sluice
