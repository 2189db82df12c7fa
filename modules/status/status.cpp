// Shows what the server does, and why: a live page, its status as JSON, metrics for Prometheus, and whether it
// is alive and ready, for balancers.
#include <sluice/module.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/explain.h"
#include "common/http/text.h"
#include "status/inquiry.h"
#include "status/live_feed.h"
#include "status/page.h"
#include "status/readiness.h"
#include "status/viewer_rule.h"

namespace {

using sluice::Exchange;
using sluice::Host;
using sluice::Method;
using sluice::OptionType;
using sluice::files::AddressRange;
using sluice::status::Finding;
using sluice::status::Inquiry;

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

// A mistake leaves as an exception, which the server reports as the handler's refusal.
std::vector<AddressRange> ranges_of(sluice::Bytes list) {
  std::vector<AddressRange> ranges;
  for (const std::string& item : sluice::files::items_of(list)) {
    const auto range = sluice::files::parse_range(item);
    if (!range)
      throw std::runtime_error("the option allow has '" + item +
                               "': " + std::string(sluice::files::kRangeAdvice));
    ranges.push_back(*range);
  }
  return ranges;
}

void send(Exchange& exchange, std::uint32_t status, std::string_view type, std::string_view content) {
  exchange.status(status);
  exchange.field("Content-Type", type);
  exchange.send(content);
}

class StatusHandler final : public sluice::Handler {
 public:
  explicit StatusHandler(Host& host)
      : host_(host),
        rule_(ranges_of(host.option("allow"))),
        needs_(sluice::files::items_of(host.option("needs"))),
        refused_(host.counter("refused")),
        metrics_(host, "metrics"),
        status_(host, "status"),
        health_(host, "health"),
        feed_(host) {}

  void handle(Exchange& exchange) override {
    exchange.field("Cache-Control", "no-store");
    exchange.field("X-Content-Type-Options", "nosniff");
    if (const char* const why = rule_.why_not(exchange)) return refuse(exchange, why);
    const Method method = exchange.request().method;
    if (method != Method::get && method != Method::head) {
      exchange.field("Allow", "GET, HEAD");
      return exchange.fail(405);
    }
    const std::string_view path = exchange.request().path;
    if (path.empty()) return show_page(exchange);
    if (path == "events") return feed_.watch(exchange);
    if (path == "metrics") return answer_later(exchange, metrics_, &StatusHandler::send_metrics);
    if (path == "status.json") return answer_later(exchange, status_, &StatusHandler::send_json);
    // Who answers this is alive. Nobody is asked: a server must not be killed for its supervisor's being busy.
    if (path == "health/live") return send(exchange, 200, kPlainText, "live\n");
    if (path == "health/ready") return answer_later(exchange, health_, &StatusHandler::send_readiness);
    exchange.fail(404);
  }
  void retire() override { feed_.close(); }
  void leaving(sluice::Leaving) override { feed_.close(); }

 private:
  using Sends = void (StatusHandler::*)(Exchange& exchange, const Finding& finding) const;
  class Reply;

  void refuse(Exchange& exchange, const char* why) {
    host_.count(refused_, 1);
    sluice::files::explain(exchange, [why] { return why; });
    send(exchange, 403, kPlainText, std::string(why) + "\n");
  }
  static void show_page(Exchange& exchange) {
    const std::string nonce = sluice::status::make_nonce();
    if (nonce.empty()) return exchange.fail(503);
    exchange.field("Content-Security-Policy", sluice::status::page_policy(nonce));
    exchange.field("Referrer-Policy", "no-referrer");
    exchange.field("Cross-Origin-Opener-Policy", "same-origin");
    send(exchange, 200, "text/html; charset=utf-8", sluice::status::page_of(nonce));
  }
  void answer_later(Exchange& exchange, Inquiry& inquiry, Sends sends);

  void send_metrics(Exchange& exchange, const Finding& finding) const {
    send_found(exchange, finding, kMetricsText);
  }
  void send_json(Exchange& exchange, const Finding& finding) const {
    send_found(exchange, finding, "application/json");
  }
  static void send_found(Exchange& exchange, const Finding& finding, std::string_view type) {
    if (finding.is_known) return send(exchange, 200, type, finding.text);
    exchange.field("Retry-After", "1");
    exchange.fail(503);
  }
  void send_readiness(Exchange& exchange, const Finding& finding) const {
    const auto found = sluice::status::judge_health(finding.text, needs_);
    send(exchange, found.is_ready ? 200 : 503, kPlainText, found.text);
  }

  Host& host_;
  const sluice::status::ViewerRule rule_;
  const std::vector<std::string> needs_;
  const std::uint32_t refused_;
  Inquiry metrics_;
  Inquiry status_;
  Inquiry health_;
  sluice::status::LiveFeed feed_;
};

// A request that waits for what an inquiry finds.
class StatusHandler::Reply final : public sluice::Task {
 public:
  Reply(const StatusHandler& handler, Sends sends, std::shared_ptr<const Finding> finding)
      : handler_(handler), sends_(sends), finding_(std::move(finding)) {}
  void resumed(Exchange& exchange) override {
    if (finding_->is_done) (handler_.*sends_)(exchange, *finding_);
  }

 private:
  const StatusHandler& handler_;
  const Sends sends_;
  const std::shared_ptr<const Finding> finding_;
};

void StatusHandler::answer_later(Exchange& exchange, Inquiry& inquiry, Sends sends) {
  auto finding = inquiry.join(exchange.ticket());
  if (finding == nullptr) return (this->*sends)(exchange, Finding{});
  exchange.defer(new Reply(*this, sends, std::move(finding)));
}

constexpr sluice::OptionInfo kOptions[] = {
    {"allow", OptionType::list, 0, "",
     "addresses and ranges that may see the status beside clients on this host, as in 192.0.2.0/24, "
     "2001:db8::/32 "
     "or unix; also for what a proxy there passes on",
     nullptr},
    {"needs", OptionType::list, 0, "",
     "modules without which health/ready answers 503; others may be switched off", nullptr},
};

}  // namespace

SLUICE_MODULE(StatusHandler, .name = "status", .version = "1.0.0",
              .summary = "Shows what the server does: a live page, metrics, JSON, and its health",
              .default_mount = "/-/", .options = kOptions,
              .option_count = sizeof(kOptions) / sizeof(kOptions[0]));
