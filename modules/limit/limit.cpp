// A filter that says how often a client may ask, and how many of its requests may be under way at once. All
// workers count together, in numbers and claims that the server keeps for them: a bucket of tokens is a number,
// a request under way is a claim. So a client never gets more than the limits say, as long as the server has
// room for all of its clients; how many that are, Host::shared_number and Host::claim tell.
#include <sluice/module.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

#include "common/explain.h"
#include "limit/client_key.h"
#include "limit/rate_text.h"

namespace {

using sluice::Exchange;
using sluice::Host;
using sluice::OptionType;
using sluice::limit::Rate;

constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr std::uint64_t kReportMs = 60'000;
constexpr int kTriesMax = 1000;

// The mistakes of the options leave as exceptions, which the server reports as the filter's refusal.
Rate rate_of(const Host& host) {
  const std::string text(std::string_view(host.option("rate")));
  const std::uint64_t burst = host.number("burst");
  if (text.empty()) {
    if (burst != 0)
      throw std::runtime_error("the option burst belongs to rate: give rate, too, or leave it out");
    return {};
  }
  std::optional<Rate> rate = sluice::limit::parse_rate(text);
  if (!rate)
    throw std::runtime_error(
        "the option rate has '" + text +
        "': write 1 to 1000000 requests in a second, minute or hour, as in 10/s, 600/m or 50/h");
  if (burst > sluice::limit::kBurstMax)
    throw std::runtime_error("the option burst is above " + std::to_string(sluice::limit::kBurstMax) +
                             ": write a lower number");
  if (burst != 0) rate->burst = burst;
  return *rate;
}

sluice::limit::KeySource key_of(const Host& host) {
  const std::string text(std::string_view(host.option("key")));
  auto source = sluice::limit::parse_key(text);
  if (!source)
    throw std::runtime_error("the option key has '" + text + "': write address, field:NAME or note:NAME");
  return *source;
}

class Limit final : public sluice::Filter, private sluice::Timer {
 public:
  explicit Limit(Host& host)
      : host_(host),
        rate_(rate_of(host)),
        under_way_max_(static_cast<std::uint32_t>(
            std::min<std::uint64_t>(host.number("in_flight"), std::numeric_limits<std::uint32_t>::max()))),
        dry_run_(host.number("dry_run") != 0),
        key_(key_of(host)),
        settings_(settings_of(host)),
        passed_(host.counter("passed")),
        refused_(host.counter("refused")) {
    if (rate_.interval_ns == 0 && under_way_max_ == 0)
      throw std::runtime_error("it limits nothing: give rate, as in 10/s, or in_flight");
  }
  ~Limit() override {
    if (report_.value != 0) host_.cancel(report_);
  }

  void request(Exchange& exchange) override {
    const std::uint64_t now_ns = host_.now_ms() * kNsPerMs;
    name_ = settings_;
    sluice::limit::append_key(name_, key_, exchange);
    ++seen_;
    // When a request under way will end is not known.
    if (under_way_max_ != 0 && !claim(exchange)) return refuse(exchange, kNsPerSecond);
    const std::uint64_t wait_ns = rate_.interval_ns == 0 ? 0 : take_token(now_ns);
    if (wait_ns != 0) {
      give_back(exchange);
      return refuse(exchange, wait_ns);
    }
    host_.count(passed_, 1);
  }

  void ended(Exchange& exchange, const sluice::Outcome&) override { give_back(exchange); }

 private:
  // What is claimed is noted before, so that it is given back also when memory is used up.
  bool claim(Exchange& exchange) {
    const auto noted = under_way_.emplace(exchange.ticket().value, name_).first;
    if (host_.claim(name_, under_way_max_)) return true;
    under_way_.erase(noted);
    return false;
  }
  // Nothing happens for a request that was refused, or is not counted.
  void give_back(Exchange& exchange) {
    const auto begun = under_way_.find(exchange.ticket().value);
    if (begun == under_way_.end()) return;
    host_.give_back(begun->second);
    under_way_.erase(begun);
  }

  // Filters of other settings count for themselves, also at the same place.
  static std::string settings_of(const Host& host) {
    std::string text;
    for (const char* option : {"rate", "burst", "in_flight", "key", "dry_run"})
      text.append(std::string_view(host.option(option))) += '\n';
    return text;
  }

  // 0 if the request may pass. Otherwise the time after which another one may. A change that fails means that
  // another worker has taken a token meanwhile.
  std::uint64_t take_token(std::uint64_t now_ns) {
    for (int tried = 0; tried < kTriesMax; ++tried) {
      const std::uint64_t full_ns = host_.shared_number(name_);
      const sluice::limit::Taken taken = sluice::limit::take_token(rate_, full_ns, now_ns);
      if (taken.wait_ns != 0) return taken.wait_ns;
      // A rate for which there is no room is not limited now.
      if (host_.change_shared_number(name_, full_ns, taken.full_ns) != sluice::Changed::differs) return 0;
    }
    return rate_.interval_ns;
  }

  // RFC 6585 section 4. In a dry run the request goes on.
  void refuse(Exchange& exchange, std::uint64_t wait_ns) {
    host_.count(refused_, 1);
    sluice::files::explain(exchange, [&] {
      return "the client has more requests than rate= or in_flight= allows it in this worker; in " +
             std::to_string((wait_ns + kNsPerSecond - 1) / kNsPerSecond) + " s it may ask again";
    });
    if (dry_run_) return note_refused();
    exchange.field("Retry-After", std::to_string((wait_ns + kNsPerSecond - 1) / kNsPerSecond));
    exchange.fail(429);
  }

  // The first one that would be refused begins a minute, whose end is reported.
  void note_refused() {
    if (report_.value == 0) {
      report_ = host_.timer(kReportMs, *this);
      seen_ = 1;
      seen_refused_ = 0;
    }
    ++seen_refused_;
  }

  void fired() override {
    report_ = {};
    host_.log(sluice::LogLevel::warning, "without dry_run, " + std::to_string(seen_refused_) + " of " +
                                             std::to_string(seen_) +
                                             " requests of the last minute would have been refused");
  }

  Host& host_;
  const Rate rate_;
  const std::uint32_t under_way_max_;  // of a client; 0: no limit
  const bool dry_run_;
  const sluice::limit::KeySource key_;
  const std::string settings_;
  const std::uint32_t passed_;
  const std::uint32_t refused_;
  std::string name_;                                          // of the client that asks
  std::unordered_map<std::uint64_t, std::string> under_way_;  // clients, by the exchange's ticket
  sluice::TimerId report_;
  std::uint64_t seen_ = 0;  // since the minute began
  std::uint64_t seen_refused_ = 0;
};

constexpr sluice::OptionInfo kOptions[] = {
    {"rate", OptionType::text, 0, "",
     "requests of a client in a second, minute or hour, as in 10/s, 600/m or 50/h; 429 above. All workers "
     "count "
     "together",
     nullptr},
    {"burst", OptionType::number, 0, "0",
     "requests that may come at once after a pause; 0 for as many as the rate gives in a second, at least 1",
     nullptr},
    {"in_flight", OptionType::number, 0, "0",
     "requests of a client under way at once, 429 above; 0 for any number. All workers count together",
     nullptr},
    {"key", OptionType::text, 0, "address",
     "what tells clients apart: address (IPv6 by /64), field:NAME of the request, or note:NAME, as in "
     "note:user of "
     "access",
     nullptr},
    {"dry_run", OptionType::flag, 0, "off",
     "refuse nothing; count what would be refused, and log it once a minute", nullptr},
};

}  // namespace

SLUICE_MODULE(Limit, .name = "limit", .version = "1.0.0",
              .summary = "A filter: limits how often clients ask, and how much at once", .options = kOptions,
              .option_count = sizeof(kOptions) / sizeof(kOptions[0]));
