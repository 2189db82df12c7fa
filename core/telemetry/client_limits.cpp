#include "telemetry/client_limits.h"

#include <fmt/core.h>
#include <string_view>
#include <utility>

namespace sluice {
namespace {

struct Wording {
  std::string_view what;
  std::string_view option;
  std::string_view refused;
};
// In the order of ClientUse.
constexpr Wording kWordings[kClientUses] = {
    {"connections open", "--client-connections-max", "new ones are closed"},
    {"TLS handshakes under way", "--client-handshakes-max", "new ones are closed"},
    {"requests under way", "--client-requests-max", "new ones get 429"},
};

}  // namespace

ClientLimits::ClientLimits(std::shared_ptr<ClientCounts> counts, unsigned worker, const Settings& settings,
                           WorkerStats& stats)
    : counts_(std::move(counts)),
      worker_(worker),
      trusted_(settings.trusted_proxies.from.networks),
      limits_{settings.limits.client_connections_max, settings.limits.client_handshakes_max,
              settings.limits.client_requests_max},
      stats_(stats) {
  counts_->clear(worker);
}

std::uint32_t ClientLimits::place_of(const PeerAddress& client) const {
  if (!client.is_known() || client.is_within_host() || trusted_.has(client)) return kNowhere;
  return counts_->place_of(client);
}

bool ClientLimits::take(std::uint32_t place, ClientUse use, const PeerAddress& client, std::uint64_t now_ms) {
  const std::uint32_t limit = limits_[static_cast<std::size_t>(use)];
  if (place == kNowhere || limit == 0) return true;
  if (counts_->count(place, use) < limit) {
    counts_->add(worker_, place, use);
    return true;
  }
  refuse(use, client, now_ms);
  return false;
}

void ClientLimits::give(std::uint32_t place, ClientUse use) {
  if (place == kNowhere || limits_[static_cast<std::size_t>(use)] == 0) return;
  counts_->subtract(worker_, place, use);
}

void ClientLimits::refuse(ClientUse use, const PeerAddress& client, std::uint64_t now_ms) {
  const auto index = static_cast<std::size_t>(use);
  stats_.clients_refused[index].add();
  PacedLog& log = logs_[index];
  if (!log.is_due(now_ms)) return;
  const Wording& wording = kWordings[index];
  log.say(LogLevel::warning, fmt::format("{} has as many {} as {} allows: {}", client.with_port(0).text(),
                                         wording.what, wording.option, wording.refused));
}

}  // namespace sluice
