// The deadlines of a stream, and its ends without a complete answer: late, closed or cut.
#include <algorithm>
#include <utility>

#include "base/kept_memory.h"
#include "base/out_of_memory.h"
#include "exchange/stream.h"
#include "http/authority.h"

namespace sluice {
namespace {

// The status, in the access log, of a request whose head broke off.
constexpr std::uint32_t kHeadCut = 400;
// The same, of one that ended before it was answered, most often because its client left. nginx has made it
// known.
constexpr std::uint32_t kNotAnswered = 499;
// By Ending.
constexpr std::string_view kEndings[] = {"complete", "cut", "late", "client_left", "closed"};

}  // namespace

void Stream::settle(bool sends, bool received) {
  if (!is_at_work()) return disarm();
  const std::uint64_t now_ms = context_.loop.now_ms();
  const bool wrote = std::exchange(wrote_, false);
  if (wrote) looks_ = 0;
  sums_.pause(now_ms);
  send_pace_.pause(now_ms);
  if (wrote || (received && !drains_body())) sums_.restart();
  if (waiting_for_ == WaitingFor::turn && !stalled_ && !drains_body()) return disarm();
  const DeadlineKind kind = kind_of_wait();
  // What the client does not take may hold up what it sends, but not what its module does.
  if (sends && (kind == DeadlineKind::send || kind == DeadlineKind::body)) {
    sums_.wait(DeadlineKind::send, now_ms);
    return disarm();
  }
  Deadlines& deadlines = context_.loop.deadlines();
  if (kind == DeadlineKind::body && waiting_for_ == WaitingFor::client_bytes)
    exchange_.body().pace().wait(now_ms);
  const bool begins = has_progressed(kind, received, wrote) || !armed() || deadline_kind() != kind;
  if (kind == DeadlineKind::send) {
    takes_slowly_ = takes_slowly_ || is_taken_too_slowly();
    send_pace_.wait(now_ms);
    if (takes_slowly_ && begins) return deadlines.arm_due(*this, kind, now_ms);
  } else {
    const bool is_late = sums_.waited_ms(kind) >= deadlines.duration_ms(kind);
    sums_.wait(kind, now_ms);
    if (is_late && begins) return deadlines.arm_due(*this, kind, now_ms);
  }
  if (begins) deadlines.arm(*this, kind, now_ms);
}

void Stream::others_were_sent(std::uint64_t size) {
  if (size > 0) looks_ = 0;
  send_pace_.came(size);
}

// What has to wait for the socket is the session's to judge.
bool Stream::is_taken_too_slowly() {
  const std::uint64_t window_ms =
      Deadlines::kSendLooks * context_.loop.deadlines().duration_ms(DeadlineKind::send);
  return send_pace_.too_slow(window_ms, context_.limits.send_rate_min);
}

DeadlineKind Stream::kind_of_wait() const {
  if (drains_body()) return DeadlineKind::body;
  // The client of an endless answer has sent its end, and has most likely left, so the answer waits only for a
  // short time. A tunnel's module knows that its client has ended.
  if (waits_endlessly() && !exchange_.body().is_tunnel() && carrier_.client_has_ended())
    return DeadlineKind::linger;
  // The session's socket is free, so a window of the client's is shut.
  if (waiting_for_ == WaitingFor::socket_room) return DeadlineKind::send;
  if (exchange_.body().is_tunnel() && !stalled_) return DeadlineKind::tunnel;
  const bool for_handler = waiting_for_ == WaitingFor::handler || waiting_for_ == WaitingFor::turn;
  return for_handler ? DeadlineKind::handler : DeadlineKind::body;
}

// Bytes of a body that nobody wants do not postpone its deadline.
bool Stream::has_progressed(DeadlineKind kind, bool received, bool wrote) const {
  if (kind == DeadlineKind::send) return false;  // its looks go on at their times
  if (kind == DeadlineKind::tunnel) return received || wrote;
  if (kind == DeadlineKind::body) return received && !drains_body();
  return wrote && (kind == DeadlineKind::handler || state_ == StreamState::transmitting);
}

// If the client has sent its end, it may have left. Then an overdue answer is no fault of the module.
Stream::Outcome Stream::be_late(DeadlineKind kind) {
  const LogScope scope(*this);
  if (kind == DeadlineKind::send) {
    send_pace_.pause(context_.loop.now_ms());
    takes_slowly_ = takes_slowly_ || is_taken_too_slowly();
    if (!takes_slowly_ && ++looks_ < Deadlines::kSendLooks) return Outcome::waits;
  }
  sums_.restart();
  const bool client_has_ended = carrier_.client_has_ended();
  const bool handler_late = kind == DeadlineKind::handler && (!client_has_ended || stalled_);
  if (state_ == StreamState::preparing && exchange_.stage() == HttpExchange::Stage::deferred) {
    if (handler_late) exchange_.report_fault("a deferred answer is overdue");
    decide([] { return "does not wait any longer: a time-out has passed"; });
    exchange_.answer_for_handler(kind == DeadlineKind::handler ? Refusal{504} : kSlowBody);
    return Outcome::waits;
  }
  if (state_ == StreamState::preparing && kind == DeadlineKind::body) {
    exchange_.body().break_off(kSlowBody);
    return Outcome::waits;
  }
  if (handler_late) {
    exchange_.report_wait(stalled_ || parked_,
                          stalled_
                              ? "its body had room and wrote nothing in time: a body that waits has to park"
                          : parked_ ? "a parked body was not resumed in time"
                                    : "a reader that had paused was not resumed in time");
  }
  return come_to(client_has_ended ? Step::client_left : Step::cut, true);
}

bool Stream::waits_endlessly() const {
  return state_ == StreamState::transmitting && parked_ && framing_.remaining == kUnknownSize &&
         !exchange_.answer().ends_behind_filters();
}

// The written bytes are sent, but not the last chunk, so that the client does not take the content for whole.
// If only the end of the connection ends the content, a reset has to do that. A tunnel's protocol has an end of
// its own.
Stream::Step Stream::end_endless() const {
  return framing_.kind == Framing::close && !exchange_.body().is_tunnel() ? Step::stopped : Step::closed;
}

Stream::Outcome Stream::close_endless() {
  return come_to(end_endless());
}

void Stream::tell_modules(Ending ending) {
  if (!exchange_.is_told_of_end()) return;
  sluice::Outcome outcome;
  if (exchange_.stage() == HttpExchange::Stage::answered) outcome.status = exchange_.answer().status;
  outcome.sent = content_moved_;
  outcome.took_ns = context_.loop.now_ns() - handled_ns_;
  outcome.ending = ending;
  exchange_.tell_ended(outcome);
}

// A stream ends also where memory is used up.
void Stream::log_access(Ending ending) {
  if (context_.access == nullptr || head_ == nullptr) return;
  const SitePlan* site = site_of_log();
  if (site == nullptr || !context_.access->wants(*site)) return;
  const bool logged = unless_out_of_memory("memory is used up: a line of the access log is lost", [&] {
    AccessFacts facts{*head_, logged_client()};
    facts.sent = content_moved_;
    facts.status = ended_status(ending);
    facts.site = site->label;
    facts.ending = kEndings[static_cast<std::size_t>(ending)];
    if (!AccessRecorder::is_detailed(*site)) return context_.access->record(*site, facts);
    const std::string peer = carrier_.peer_address().text();
    const std::optional<TlsFacts> tls = carrier_.tls_facts();
    facts.peer = peer;
    if (tls) facts.tls = &*tls;
    describe(facts);
    context_.access->record(*site, facts, exchange_.request().arrived_ns);
  });
  if (!logged) context_.access->lose();
}

// A request that no site has answered is with the site that its host names, as far as that is known.
const SitePlan* Stream::site_of_log() const {
  if (site_ != nullptr || context_.sites.empty()) return site_;
  std::string_view host = head_->host;
  for (const Field& field : head_->read_fields) {
    if (host.empty() && field.id == FieldId::host) host = field.value;
  }
  Refusal refusal;
  std::uint32_t index = host.empty() ? SiteNames::kNoSite : carrier_.find_site(host_of(host), refusal);
  if (index >= context_.sites.size()) index = carrier_.site_of_connection();
  return index < context_.sites.size() ? &context_.sites[index] : nullptr;
}

// What only the detailed form shows.
void Stream::describe(AccessFacts& facts) {
  facts.received = exchange_.body().taken();
  if (facts.status == exchange_.answer().status) facts.fields = exchange_.field_lines();
  if (const ModuleInstance* instance = exchange_.instance()) {
    facts.module = instance->module();
    facts.mount = instance->mount();
    facts.generation = instance->generation();
  }
  if (const std::uint64_t index = carrier_.exchange_ticket().value >> 32; index != kNoConnection)
    facts.connection = index + 1;
  facts.secure = secure_;
  const std::uint64_t arrived_ns = exchange_.request().arrived_ns;
  const std::uint64_t head_ms = (handled_ns_ - std::min(handled_ns_, arrived_ns)) / 1'000'000;
  sums_.pause(context_.loop.now_ms());
  const WaitSums::Longest waited = sums_.longest();
  facts.waited_ms = std::max(waited.ms, head_ms);
  const DeadlineKind kind = head_ms >= waited.ms ? DeadlineKind::head : waited.kind;
  if (facts.waited_ms > 0) facts.waited_for = kWaits[static_cast<std::size_t>(kind)];
}

std::uint32_t Stream::ended_status(Ending ending) const {
  if (head_cut_) return kHeadCut;
  const bool answered = ending == Ending::complete || state_ == StreamState::transmitting;
  return answered ? exchange_.answer().status : kNotAnswered;
}

// A request without a site counts for none, and one without a handler has no route.
void Stream::count_duration(Ending ending) {
  if (head_ == nullptr) return;
  const auto method = static_cast<std::size_t>(exchange_.request().method);
  const std::size_t known = method == 0 || method >= kMethods.size() ? kMethods.size() - 1 : method - 1;
  const std::uint64_t kind = RequestSeries::kind_of(known, ended_status(ending));
  ModuleInstance* const handler = exchange_.handler();
  // The first place is for requests without a site, whose index may be that of none.
  const std::size_t at = site_ == nullptr ? 0 : std::size_t{site_index_} + 1;
  if (handler == nullptr && context_.unrouted.size() <= at) context_.unrouted.resize(at + 1);
  auto& places = (handler != nullptr ? handler->request_series() : context_.unrouted[at]).places;
  std::uint16_t& place = places[kind - 1];
  if (place == 0) {
    const std::string_view site =
        site_ == nullptr ? std::string_view() : context_.stats.site(site_index_).name.get();
    const std::string_view route = handler == nullptr ? std::string_view() : std::string_view(handler->mount());
    place = static_cast<std::uint16_t>(context_.stats.request_series_index(site, route, kind) + 1);
  }
  const std::uint64_t now_ns = context_.loop.now_ns();
  const std::uint64_t took_ns = now_ns - std::min(now_ns, exchange_.request().arrived_ns);
  context_.stats.request_series[place - 1].durations.add(took_ns);
}

void Stream::tell_end(Ending ending) {
  unless_out_of_memory("memory is used up: a request is not counted", [&] { count_duration(ending); });
  tell_modules(ending);
  log_access(ending);
}

void Stream::cut(Ending ending) {
  const LogScope scope(*this);
  tell_end(sent_ ? Ending::complete : ending);
  exchange_.end();
  disarm();
  transition(StreamEvent::cut);
  forget_request();
}

// Logs show no port that is not known.
std::string_view Stream::logged_client() {
  std::string_view client = exchange_.client_address();
  if (client.ends_with(":0")) client.remove_suffix(2);
  return client;
}

std::string Stream::named_for_log() {
  std::string named;
  if (head_ == nullptr) return named;
  if (exchange_.request().method_name.size > 0) {
    NotedRequest line;
    line.set(exchange_.request());
    named += ", for " + line.text();
  }
  if (site_ != nullptr) named += ", site " + site_->label;
  const std::string_view client = logged_client();
  const std::uint64_t connection = carrier_.exchange_ticket().value >> 32;
  named.append(", client ").append(client);
  if (connection == kNoConnection) return named;
  return named.append(", connection ").append(std::to_string(connection + 1));
}

void Stream::reuse() {
  constexpr std::size_t kPathKeptMax = 8 * 1024;
  if (state_ == StreamState::ended) transition(StreamEvent::reused);
  give_back_above(decoded_, kPathKeptMax);
  exchange_.forget_calls();
}

void Stream::forget_request() {
  if (client_ != ClientLimits::kNowhere)
    context_.clients->give(std::exchange(client_, ClientLimits::kNowhere), ClientUse::request);
  head_ = nullptr;
  framing_ = {};
  content_sent_ = content_moved_ = 0;
  path_ = query_ = {};
  hand_overs_.clear();
  next_filter_ = 0;
  waiting_for_ = WaitingFor::nothing;
  looks_ = 0;
  sums_ = {};
  send_pace_.start();
  head_cut_ = handled_ = takes_slowly_ = wrote_ = parked_ = stalled_ = content_done_ = sent_ = false;
}

}  // namespace sluice
