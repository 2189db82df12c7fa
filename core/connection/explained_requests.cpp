#include "connection/explained_requests.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "connection/http1_head.h"
#include "http/request_parser.h"
#include "transport/output.h"

namespace sluice {
namespace {

// Of an answer without an end, or a long one, this much is made.
constexpr std::uint64_t kContentMax = 64 * 1024;

}  // namespace

// Takes the content and drops it.
class DroppingSink final : public AnswerSink {
 public:
  explicit DroppingSink(BodyFraming& framing) : AnswerSink(framing) {}
  std::uint64_t room() const override { return std::min(kContentMax - moved_, framing_.remaining); }
  Moved write(const Bytes* pieces, std::uint32_t count) override {
    std::uint64_t size = 0;
    for (std::uint32_t i = 0; i < count; ++i) size += pieces[i].size;
    return take(size);
  }
  Moved send_file(int, std::uint64_t, std::uint64_t size) override {
    if (framing_.kind == Framing::chunked) return {0, Io::unsupported};
    return take(size);
  }
  Io finish() override { return Io::ok; }

 private:
  Moved take(std::uint64_t size) {
    if (size > framing_.remaining) framing_.overrun = true;
    const std::uint64_t taken = std::min(size, room());
    moved_ += taken;
    if (framing_.remaining != kUnknownSize) framing_.remaining -= taken;
    full_ = taken < size;
    return {taken, full_ ? Io::full : Io::ok};
  }
};

class ExplainedRequests::Request final : public Reapable,
                                         private StreamCarrier,
                                         private Decisions,
                                         private Ready,
                                         private Timer {
 public:
  Request(ExplainedRequests& all, const ExplainQuery& query, const AddressContext& at, Told told)
      : all_(all),
        context_(all.context_),
        at_(at),
        told_(std::move(told)),
        output_(context_.outputs),
        parser_(context_.limits),
        stream_context_(context_),
        stream_(stream_context_, *this),
        peer_(query.client == "unix" ? PeerAddress::of_unix_socket()
                                     : PeerAddress::parse(query.client).value_or(PeerAddress())),
        ticket_{(std::uint64_t{kNoConnection} << 32) | ++all.last_serial_} {
    explanation_.query = query;
    stream_context_.access = nullptr;
    stream_context_.decisions = this;
    late_ = context_.loop.timers().start(context_.loop.now_ms() + kLimitMs, *this);
    context_.loop.make_ready(*this);
  }
  ~Request() override {
    context_.loop.timers().cancel(late_);
    if (stream_.is_at_work()) stream_.cut();
    drop_output();
  }

  Ticket ticket() const { return ticket_; }
  void wake(const ModuleInstance& by) {
    if (stream_.wake(by)) context_.loop.make_ready(*this);
  }

 private:
  // Ready: goes on as far as it can.
  void on_ready() override {
    if (head_.empty()) begin();
    go_on();
  }
  void begin() {
    head_ = explanation_.query.head();
    const RequestParser::HeadResult result = parser_.parse_head(head_);
    const std::uint64_t now_ns = context_.loop.now_ns();
    if (result.outcome == RequestParser::Outcome::complete && result.size == head_.size())
      return stream_.take_head(parser_.head(), now_ns);
    constexpr Refusal kBroken = {400, "The head is not the head of one request."};
    refused_.method_name = explanation_.query.method;
    refused_.target = explanation_.query.target;
    stream_.refuse_head(refused_, now_ns,
                        result.outcome == RequestParser::Outcome::refused ? result.refusal : kBroken);
  }
  void go_on() {
    if (!told_) return;
    if (stream_.advance() != Stream::Outcome::waits) return end();
    if (answered_ && (moved_ >= kContentMax || upgraded_)) return end();
    stream_.settle(false, false);
    const WaitingFor what = stream_.waiting_for();
    if (what == WaitingFor::turn || what == WaitingFor::socket_room) context_.loop.make_ready(*this);
  }
  void end() { tell("The request ended without an answer; the log may say why."); }
  void fired() override {
    late_ = {};
    tell("There was no answer within 10 s.");
  }
  // Once, also if a timer, a deadline and the ready phase of one turn come to it.
  void tell(std::string_view without_answer) {
    const Told told = std::exchange(told_, {});
    if (!told) return;
    if (!answered_) explanation_.ending = without_answer;
    told(explanation_);
    all_.ended(*this);  // destroys this at the end of the turn
  }
  void drop_output() {
    output_.consume(output_.pending().size());
    output_.release();
  }

  // Decisions
  void decided(const Decision& decision) override {
    std::string by = name_of_decider(decision.by);
    if (decision.by != nullptr && !decision.by->folder_of_file().empty())
      by += ", from " + decision.by->folder_of_file();
    explanation_.decisions.push_back({std::move(by), std::string(decision.what)});
  }

  // StreamCarrier
  Ticket exchange_ticket() override { return ticket_; }
  PeerAddress peer_address() override { return peer_; }
  PeerFacts peer_facts() override {
    PeerFacts facts;
    peer_.describe(facts);
    return facts;
  }
  bool send_early_hints(std::string_view) override { return true; }
  std::uint32_t find_site(std::string_view host, Refusal& refusal) const override {
    const std::uint32_t site = at_.sites.find(host);
    if (site == SiteNames::kNoSite) refusal = {421, "No site of this address has that name."};
    return site;
  }
  std::uint32_t site_of_connection() const override { return at_.sites.some_site(); }
  std::optional<TlsFacts> tls_facts() const override { return std::nullopt; }
  bool is_secure() const override { return explanation_.query.secure; }
  bool may_redirect() const override { return !is_secure() && at_.redirects; }
  // Nothing follows the head.
  bool fetch_body(RequestBody& body) override {
    if (body.wants_bytes()) body.finish();
    return true;
  }
  bool send_continue() override { return true; }
  Io begin_answer(ResponseHead& head, bool, BodyFraming& framing) override {
    if (output_.room() < response_head_size_max(head)) return Io::lost;
    framing = {framing_of(head), kUnknownSize, false, {}};
    if (framing.kind == Framing::length) framing.remaining = head.size;
    head.date = context_.date.now();
    write_response_head(head, output_);
    explanation_.head = output_.pending();
    explanation_.status = head.status;
    drop_output();
    answered_ = true;
    upgraded_ = !head.upgrade.empty();
    return Io::ok;
  }
  AnswerSink& open_sink(BodyFraming& framing) override { return sink_.emplace(framing); }
  void close_sink() override {
    moved_ += sink_->moved();
    sink_.reset();
  }
  bool can_take_back_answer() const override { return moved_ + (sink_ ? sink_->moved() : 0) == 0; }
  void take_back_answer() override { answered_ = false; }
  bool end_answer(bool) override { return false; }
  bool client_has_ended() const override { return false; }
  bool output_is_full() const override { return false; }
  bool share_is_used_up() const override { return false; }
  void stream_is_late(DeadlineKind kind) override {
    if (!told_) return;
    if (stream_.be_late(kind) != Stream::Outcome::waits) return end();
    context_.loop.make_ready(*this);
  }

  ExplainedRequests& all_;
  const ConnectionContext& context_;
  const AddressContext& at_;
  Told told_;
  Explanation explanation_;
  std::string head_;  // of the request
  RequestHead refused_;
  Output output_;
  RequestParser parser_;
  StreamContext stream_context_;
  std::optional<DroppingSink> sink_;
  Stream stream_;
  const PeerAddress peer_;
  const Ticket ticket_;
  TimerId late_{};
  std::uint64_t moved_ = 0;
  bool answered_ = false;
  bool upgraded_ = false;
};

ExplainedRequests::ExplainedRequests(const ConnectionContext& context) : context_(context) {}

ExplainedRequests::~ExplainedRequests() = default;

void ExplainedRequests::close_all() {
  requests_.clear();
}

void ExplainedRequests::explain(const ExplainQuery& query, const AddressContext& at, Told told) {
  if (requests_.size() < kAtOnceMax) {
    requests_.push_back(std::make_unique<Request>(*this, query, at, std::move(told)));
    return;
  }
  Explanation busy{query};
  busy.ending = "Too many requests are explained at once: try again.";
  told(busy);
}

void ExplainedRequests::resume(Ticket ticket, const ModuleInstance& from) {
  for (const auto& request : requests_) {
    if (request->ticket().value == ticket.value) return request->wake(from);
  }
}

void ExplainedRequests::ended(const Request& request) {
  const auto found =
      std::find_if(requests_.begin(), requests_.end(), [&](const auto& one) { return one.get() == &request; });
  std::unique_ptr<Request> owned = std::move(*found);
  requests_.erase(found);
  context_.loop.reap(std::move(owned));
}

}  // namespace sluice
