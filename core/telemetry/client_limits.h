// Decides whether a client may have one more connection, handshake or request at once. The counts are those of
// all workers. Clients on this host and trusted proxies have no limit: many others are behind one address.
//
// Loop thread of one worker, which outlives what it has counted.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/client_counts.h"
#include "base/paced_log.h"
#include "settings/settings.h"
#include "telemetry/worker_stats.h"

namespace sluice {

class ClientLimits {
 public:
  // `settings` and `stats` live longer. Counts that a former worker of this number has left are cleared.
  ClientLimits(std::shared_ptr<ClientCounts> counts, unsigned worker, const Settings& settings,
               WorkerStats& stats);

  // Where the client is counted; kNowhere if it has no limit.
  static constexpr std::uint32_t kNowhere = ~std::uint32_t{0};
  std::uint32_t place_of(const PeerAddress& client) const;

  // Counts one more. false, and a line in the log, if the client has as many as it may. `give` takes it back.
  bool take(std::uint32_t place, ClientUse use, const PeerAddress& client, std::uint64_t now_ms);
  void give(std::uint32_t place, ClientUse use);

 private:
  void refuse(ClientUse use, const PeerAddress& client, std::uint64_t now_ms);

  std::shared_ptr<ClientCounts> counts_;
  const unsigned worker_;
  const Networks& trusted_;
  const std::array<std::uint32_t, kClientUses> limits_;  // 0: none
  WorkerStats& stats_;
  std::array<PacedLog, kClientUses> logs_;
};

}  // namespace sluice
