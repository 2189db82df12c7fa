// The state machine of a request: identified, prepared, answered and transmitted, with one step for each state.
// A session may reuse it for one request after another. It knows no socket: the session gives it a head, offers
// it the body, and carries its answer.
//
// Loop thread. Owned by its session.
//
// INVARIANT: only `transition` writes state_. INVARIANT: the handler's instance is held, and its body, task and
// reader live, at most from `identifying` to the end of `transmitting`.
#pragma once

#include <forward_list>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "exchange/access_recorder.h"
#include "exchange/answer_sink.h"
#include "exchange/exchange.h"
#include "exchange/stream_state.h"
#include "exchange/wait_sums.h"
#include "http/pace.h"
#include "http/target_path.h"
#include "loop/deadlines.h"
#include "loop/event_loop.h"
#include "module/router.h"
#include "settings/site_names.h"
#include "settings/site_plan.h"
#include "telemetry/client_limits.h"

namespace sluice {

// What all streams of a worker use. It outlives them.
struct StreamContext {
  EventLoop& loop;
  const Router& router;
  const std::vector<SitePlan>& sites;
  const Limits& limits;
  WorkerStats& stats;
  bool ending_streams = false;  // the worker stops: answers without a known end are closed when they wait
  AccessRecorder* access = nullptr;
  const TrustedProxies* trusted = nullptr;             // null: no field tells who asks
  ClientLimits* clients = nullptr;                     // null: clients have no limits
  Decisions* decisions = nullptr;                      // null: nobody wants to know them
  mutable std::vector<RequestSeriesCache> unrouted{};  // without a handler: without a site, then by site
};

// What a stream needs from its session.
class StreamCarrier : public ExchangeDriver {
 public:
  // The site of this host, which has no port; SiteNames::kNoSite if nobody has the name, or not on this
  // connection: then `refusal` says why.
  virtual std::uint32_t find_site(std::string_view host, Refusal& refusal) const = 0;
  // The site in whose log a request is that names none.
  virtual std::uint32_t site_of_connection() const = 0;
  // Whether TLS is spoken.
  virtual bool is_secure() const = 0;
  // What it has agreed on; nothing in clear text.
  virtual std::optional<TlsFacts> tls_facts() const = 0;
  // Whether the site may send the client to https:// from this address.
  virtual bool may_redirect() const = 0;
  // Offers received bytes of the body while it wants more; false if the client is gone.
  virtual bool fetch_body(RequestBody& body) = 0;
  // Sends 100 (Continue); false if there is no room for it.
  virtual bool send_continue() = 0;
  // Writes the whole head or nothing. `goes_on`: the request's body lets another request follow.
  virtual Io begin_answer(ResponseHead& head, bool goes_on, BodyFraming& framing) = 0;
  // Makes the sink for one call of the body. It is valid until `close_sink`.
  virtual AnswerSink& open_sink(BodyFraming& framing) = 0;
  virtual void close_sink() = 0;
  // Whether no byte of the answer was sent yet.
  virtual bool can_take_back_answer() const = 0;
  virtual void take_back_answer() = 0;
  // Ends the answer, after which the session may drop the request's head. Returns whether another request may
  // follow. `request_taken`: the request's body was read to its end.
  virtual bool end_answer(bool request_taken) = 0;

  // Whether the client has sent its last byte, or has left.
  virtual bool client_has_ended() const = 0;
  // Whether the session can take no more output for now.
  virtual bool output_is_full() const = 0;
  virtual bool share_is_used_up() const = 0;
  // The stream's deadline has passed. Calls `be_late`, and goes on.
  virtual void stream_is_late(DeadlineKind kind) = 0;

 protected:
  ~StreamCarrier() = default;
};

class Stream final : private DeadlineNode, private LogContext {
 public:
  Stream(const StreamContext& context, StreamCarrier& carrier) : context_(context), carrier_(carrier) {}

  StreamState state() const { return state_; }
  // Whether the stream is in the middle of a request.
  bool is_at_work() const { return state_ != StreamState::parsing && state_ != StreamState::ended; }

  // A whole head has come. It has to live until `end_answer`.
  void take_head(const RequestHead& head, std::uint64_t arrived_ns);
  // The head is invalid, or did not come in time. `head` has the parts that are known.
  void refuse_head(const RequestHead& head, std::uint64_t arrived_ns, const Refusal& refusal);

  // The head breaks off, most often because the client has left. Nobody is answered, but the log tells of it.
  void cut_head(const RequestHead& head, std::uint64_t arrived_ns, Ending ending);

  enum class Outcome : std::uint8_t {
    sent,         // the answer is complete; the state is `parsing` or `ended`
    waits,        // the stream waits for waiting_for()
    closed,       // an endless answer was ended in order, without its last chunk
    cut,          // the answer cannot be completed, which the client has to notice
    client_left,  // the answer cannot be completed, and the client has left
  };
  // Goes on as far as it can. REQUIRES: is_at_work().
  Outcome advance();
  WaitingFor waiting_for() const { return waiting_for_; }
  // The module of `by` has resumed the request. false if it is not in its hands.
  bool wake(const ModuleInstance& by) { return exchange_.wake(by); }
  // The deadline of this kind has passed. After `waits`, the caller has to call `advance`.
  Outcome be_late(DeadlineKind kind);
  // Whether an answer without a known end waits for its module.
  bool waits_endlessly() const;
  // Ends such an answer: `closed`, or `cut` if only the end of the connection ends the content.
  Outcome close_endless();
  // Cancels everything, in any state.
  void cut(Ending ending = Ending::client_left);
  // Prepares the stream for another client. REQUIRES: ended, or parsing.
  void reuse();

  // Sets the stream's deadline before the session waits. `sends`: output waits for the client, so the session
  // has the deadline. `received`: bytes have come since the last call.
  void settle(bool sends, bool received);
  // Other streams of the connection had what the client let through, and this one only waits for its share.
  void others_were_sent(std::uint64_t size);
  // The offloaded calls for its request, which go on when that has ended; null if there were none. Until
  // `reuse`.
  const std::shared_ptr<RequestCalls>& calls() const { return exchange_.calls(); }
  // Whether the answer's body had room and wrote nothing. It has a deadline for that.
  bool is_stalled() const { return stalled_; }
  // Whether the request's body is discarded, because nobody wants it.
  bool drains_body() const { return state_ == StreamState::preparing && exchange_.body().draining(); }

 private:
  enum class Step : std::uint8_t {
    go_on,
    wait,
    sent,
    closed,       // by the server, and the client sees that it was not all
    stopped,      // by the server, and only the end of the connection tells the client so
    cut,          // for a fault
    lost,         // with the client's connection
    client_left,  // and its connection may go on
  };

  void on_deadline(DeadlineKind kind) override { carrier_.stream_is_late(kind); }
  std::string named_for_log() override;
  void transition(StreamEvent event);
  void disarm() { context_.loop.deadlines().disarm(*this); }
  Step run_state();
  Step wait_for(WaitingFor what);
  Outcome come_to(Step step, bool is_late = false);
  // The request has ended: its modules are told, and it is logged.
  void tell_end(Ending ending);
  void tell_modules(Ending ending);
  void begin_refused(const RequestHead& head, std::uint64_t arrived_ns);
  void log_access(Ending ending);
  const SitePlan* site_of_log() const;
  void describe(AccessFacts& facts);
  std::string_view logged_client();
  // The status that the client saw, or that stands for none.
  std::uint32_t ended_status(Ending ending) const;
  void count_duration(Ending ending);

  // The steps, one for each state.
  Step identify();
  Step prepare();
  Step transmit();

  // Parts of the steps.
  // Tells what the server has decided. `make` makes the text if somebody listens.
  template <typename Make>
  void decide(Make make) {
    if (exchange_.is_explained()) exchange_.decided(make());
  }
  void judge_origin();
  // Whether the client may have another request under way.
  bool admit();
  // Whether a client that ought to use https does not, and can be sent there.
  bool lacks_https() const;
  Refusal find_site(std::string_view authority);
  // Asks the filters of the path, and then its handler, until one of them answers or defers.
  void ask();
  bool ask_next_filter();
  bool find_handler();
  bool follow_hand_over();
  void answer_closed();
  void send_to_https(std::string_view authority);
  void redirect(std::uint32_t status, const std::string& location);
  void answer_by_server();
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
  bool is_taken_too_slowly();

  const StreamContext& context_;
  StreamCarrier& carrier_;
  HttpExchange exchange_;
  BodyFraming framing_;
  std::string decoded_;    // the decoded path, if the target had to be decoded
  std::string_view path_;  // of the target, or of the last hand-over
  std::string_view query_;
  struct HandedOver {
    std::string target;
    std::string decoded;
  };
  std::forward_list<HandedOver> hand_overs_;  // those before have views of theirs
  std::uint64_t handled_ns_ = 0;              // when the head had been judged, by the loop's clock
  std::uint64_t content_sent_ = 0;            // of Answer::content
  std::uint64_t content_moved_ = 0;           // that the session took, of any kind
  const RequestHead* head_ = nullptr;
  const SitePlan* site_ = nullptr;  // null until it is found
  std::uint32_t site_index_ = 0;
  std::uint32_t client_ = ClientLimits::kNowhere;  // where its client's request is counted
  bool secure_ = false;                            // the client uses https
  bool told_by_proxy_ = false;                     // and a proxy has said so, or that it does not
  StreamState state_ = StreamState::parsing;
  WaitingFor waiting_for_ = WaitingFor::nothing;
  std::uint32_t next_filter_ = 0;  // of Router::filters
  WaitSums sums_;
  Pace send_pace_;             // how fast the client lets the answer through its windows
  std::uint8_t looks_ = 0;     // at a client that has not opened its window
  bool takes_slowly_ = false;  // it was too slow
  bool head_cut_ = false;      // by cut_head
  bool handled_ = false;       // a filter or the handler has been called, or none has to be
  bool wrote_ = false;         // the body has written since the deadline was armed
  bool parked_ = false;        // the body waits to be resumed
  bool stalled_ = false;       // the body had room, wrote nothing, and wants to be called again
  bool content_done_ = false;  // the answer's body or content has been taken whole
  bool sent_ = false;          // and its framing has been taken, too
};

}  // namespace sluice
