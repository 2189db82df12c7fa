// How a stream finds who answers: its site, the filters of its path, and its handler.
#include <fmt/core.h>
#include <algorithm>
#include <iterator>

#include "base/percent_encoding.h"
#include "exchange/stream.h"
#include "http/authority.h"
#include "http/forwarded.h"
#include "http/http_status.h"

namespace sluice {
namespace {

// The methods at targets without a handler.
constexpr std::string_view kAllow = "GET, HEAD, OPTIONS";
// Who signs certificates looks here whether the name is ours (RFC 8555 section 8.3).
constexpr std::string_view kChallenges = "/.well-known/acme-challenge/";
// Retry-After of requests for a module that is switched off.
constexpr std::string_view kClosedRetrySeconds = "30";
// The same of requests of a client that has too many of them.
constexpr std::string_view kBusyRetrySeconds = "1";
// Of one request. Handlers that hand over to each other would never answer.
constexpr int kHandOversMax = 8;

std::string_view reason_of(const Refusal& refusal) {
  return refusal.reason.empty() ? reason_phrase(refusal.status) : refusal.reason;
}

}  // namespace

void Stream::refuse_head(const RequestHead& head, std::uint64_t arrived_ns, const Refusal& refusal) {
  begin_refused(head, arrived_ns);
  decide([&] { return fmt::format("refuses the head of the request: {}", reason_of(refusal)); });
  if (refusal.status == 405) exchange_.field("Allow", kAllow);
  exchange_.refuse(refusal);
  transition(StreamEvent::head_refused);
}

void Stream::cut_head(const RequestHead& head, std::uint64_t arrived_ns, Ending ending) {
  begin_refused(head, arrived_ns);
  head_cut_ = true;
  cut(ending);
}

void Stream::begin_refused(const RequestHead& head, std::uint64_t arrived_ns) {
  answer_by_server();
  head_ = &head;
  site_ = nullptr;
  exchange_.begin(head, arrived_ns, carrier_);
  exchange_.tell_decisions(context_.decisions);
  judge_origin();
}

// No module is called for the request.
void Stream::answer_by_server() {
  handled_ = true;
  handled_ns_ = context_.loop.now_ns();
}

// Who asks, and whether by https: the one place that decides.
void Stream::judge_origin() {
  secure_ = carrier_.is_secure();
  told_by_proxy_ = false;
  if (context_.trusted == nullptr) return;
  const PeerAddress peer = carrier_.peer_address();
  const Forwarded forwarded = judge_forwarded(head_->fields, *context_.trusted, peer);
  if (forwarded.client != peer) {
    exchange_.set_client(forwarded.client);
    decide([&] { return fmt::format("believes the proxy {}, which tells the client", peer.text()); });
  }
  told_by_proxy_ = forwarded.secure.has_value();
  secure_ = forwarded.secure.value_or(secure_);
}

Stream::Step Stream::identify() {
  const TargetPath target = judge_target(head_->method, head_->target, secure_, decoded_);
  const Refusal stray = find_site(target.authority);
  if (target.refusal || stray) {
    const Refusal& why = target.refusal ? target.refusal : stray;
    decide([&] { return fmt::format("answers {}: {}", why.status, reason_of(why)); });
    answer_unrouted(why);
  } else if (!admit()) {
    decide([] { return "answers 429: the client has too many requests under way"; });
    exchange_.field("Retry-After", kBusyRetrySeconds);
    answer_unrouted({429, "You have too many requests under way: wait for their answers."});
  } else if (target.path == "*") {
    decide([] { return "answers OPTIONS * in place of a module"; });
    exchange_.status(204);
    exchange_.field("Allow", kAllow);
    exchange_.send("");
    answer_unrouted({});
  } else if (site_->settings.redirect == Redirect::https && lacks_https() &&
             !target.path.starts_with(kChallenges)) {
    decide([] { return "sends the client to https, as redirect = \"https\" says"; });
    send_to_https(target.authority);
  } else {
    path_ = target.path;
    query_ = target.query;
    transition(StreamEvent::routed);
  }
  return Step::go_on;
}

bool Stream::admit() {
  if (context_.clients == nullptr) return true;
  const PeerAddress client = exchange_.client();
  const std::uint32_t place = context_.clients->place_of(client);
  if (!context_.clients->take(place, ClientUse::request, client, context_.loop.now_ms())) return false;
  client_ = place;
  return true;
}

// Where clients have to show certificates, only TLS of this server's own will do.
bool Stream::lacks_https() const {
  const bool asks_proxy = told_by_proxy_ && site_->settings.client_certificates != ClientCertificates::required;
  return asks_proxy ? !secure_ : carrier_.may_redirect();
}

// An absolute target's authority takes the place of the Host field (RFC 9112 section 3.2.2).
Refusal Stream::find_site(std::string_view authority) {
  if (authority.empty()) authority = head_->host;
  exchange_.set_origin(authority, secure_);
  Refusal refusal;
  site_index_ = carrier_.find_site(host_of(authority), refusal);
  if (site_index_ == SiteNames::kNoSite) return refusal;
  site_ = &context_.sites[site_index_];
  decide([&] { return fmt::format("takes the site {} for the name '{}'", site_->label, host_of(authority)); });
  exchange_.use_error_pages(site_->error_pages);
  return {};
}

void Stream::ask() {
  for (;;) {
    switch (exchange_.stage()) {
      case HttpExchange::Stage::deferred:
        return transition(StreamEvent::deferred);
      case HttpExchange::Stage::answered:
        return;
      case HttpExchange::Stage::handed_over:
        if (!follow_hand_over()) return;
        break;
      case HttpExchange::Stage::open:
        if (ask_next_filter()) break;
        if (!find_handler()) return;
        exchange_.handle();
        exchange_.explain_stage();
        break;
    }
  }
}

// A module that is switched off, or missing, would answer or filter here.
void Stream::answer_closed() {
  exchange_.field("Retry-After", kClosedRetrySeconds);
  exchange_.answer_unrouted({503});
}

// false if no other filter stands before the path. A closed filter answers 503, because it may be there to
// guard what is behind it.
bool Stream::ask_next_filter() {
  const auto filters = context_.router.filters(site_index_);
  for (; next_filter_ < filters.size(); ++next_filter_) {
    const Router::FilterPlace& place = filters[next_filter_];
    if (!place.covers(path_) || exchange_.has_asked(next_filter_)) continue;
    if (!place.instance) {
      decide([&] {
        return fmt::format("answers 503: the filter at {} is switched off or missing, and lets nobody pass",
                           place.prefix);
      });
      answer_closed();
      return true;
    }
    const std::string_view mount = place.instance->mount();
    exchange_.ask_filter(next_filter_++,
                         {place.instance, path_.substr(std::min(path_.size(), mount.size())), mount, query_});
    exchange_.explain_stage();
    return true;
  }
  return false;
}

// false if there is none, and the request is answered.
bool Stream::find_handler() {
  const Router::Match match = context_.router.find(site_index_, path_);
  if (match.instance != nullptr && !match.needs_slash) {
    exchange_.route({InstanceRef(match.instance), path_.substr(match.mount.size()), match.mount, query_});
    return true;
  }
  if (match.closed) {
    decide([] { return "answers 503: the module that is mounted there is switched off or missing"; });
    answer_closed();
  } else if (match.instance == nullptr) {
    decide([&] { return fmt::format("answers 404: nothing is mounted at {}, nor above it", path_); });
    exchange_.answer_unrouted({404});
  } else {
    decide(
        [&] { return fmt::format("sends the client to {}, because a mount's path ends in '/'", match.mount); });
    std::string location;
    append_encoded(location, match.mount);
    if (!query_.empty()) location.append("?").append(query_);
    exchange_.answer_unrouted({exchange_.field("Location", location) ? 301U : 414U});
  }
  return false;
}

// false if the request is answered.
bool Stream::follow_hand_over() {
  const auto followed = std::distance(hand_overs_.begin(), hand_overs_.end());
  HandedOver& next = hand_overs_.emplace_front();
  next.target = exchange_.take_hand_over();
  const TargetPath target = judge_target(head_->method, next.target, secure_, next.decoded);
  const bool is_path = next.target.starts_with('/') && !target.refusal;
  if (!is_path)
    exchange_.report_fault(fmt::format("it handed a request over to '{}', which is no path", next.target));
  if (followed >= kHandOversMax) exchange_.report_fault("its request was handed over too often");
  if (!is_path || followed >= kHandOversMax) {
    exchange_.answer_for_handler({is_path ? 508U : 500U});
    return false;
  }
  path_ = target.path;
  query_ = target.query;
  next_filter_ = 0;
  return true;
}

void Stream::send_to_https(std::string_view authority) {
  const std::string_view host = host_of(authority.empty() ? head_->host : authority);
  if (host.empty())
    return answer_unrouted({400, "The request names no host, under which it could be sent to https."});
  std::string location = "https://";
  location.append(host);
  // Behind a proxy, its port is not this server's.
  if (!told_by_proxy_) location.append(site_->https_port);
  location.append(without_authority(head_->target));
  redirect(308, location);
}

// A location that does not fit into an answer's head means that the target is too long.
void Stream::redirect(std::uint32_t status, const std::string& location) {
  answer_unrouted({exchange_.field("Location", location) ? status : 414U});
}

void Stream::answer_unrouted(const Refusal& refusal) {
  answer_by_server();
  if (exchange_.stage() == HttpExchange::Stage::open) exchange_.refuse(refusal);
  transition(StreamEvent::unrouted);
}

}  // namespace sluice
