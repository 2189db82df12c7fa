// How much each client uses at once, by its address, in memory that all workers share: connections, handshakes
// and requests under way.
//
// Addresses are hashed to a fixed number of places. So no address is kept and, unlike WorkerClaims, there is a
// place for every client: those that meet in one are counted together. Of IPv6 the first 64 bits count, which
// one client has for itself.
//
// Each worker writes counts of its own and reads those of all, so a worker that crashed leaves nothing behind
// that its successor does not clear. Loop thread of each worker.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/error.h"
#include "base/peer_address.h"
#include "base/shared_name.h"

namespace sluice {

enum class ClientUse : std::uint8_t { connection, handshake, request };
inline constexpr std::size_t kClientUses = 3;

class ClientCounts {
 public:
  static constexpr std::size_t kPlaces = 1U << 14;
  static constexpr std::uint32_t kCountMax = 65'000;  // the largest limit

  // For so many workers. All counts are 0.
  static Result<std::shared_ptr<ClientCounts>> make(unsigned workers);
  ClientCounts(const ClientCounts&) = delete;
  ClientCounts& operator=(const ClientCounts&) = delete;
  ~ClientCounts();

  // The place of the client with this address.
  std::uint32_t place_of(const PeerAddress& address) const;
  // Of all workers.
  std::uint32_t count(std::uint32_t place, ClientUse use) const;
  // REQUIRES: this worker's loop, and count() below kCountMax.
  void add(unsigned worker, std::uint32_t place, ClientUse use);
  void subtract(unsigned worker, std::uint32_t place, ClientUse use);
  // All counts of this worker are 0: its predecessor has ended.
  void clear(unsigned worker);

 private:
  using Count = std::atomic<std::uint16_t>;
  static_assert(Count::is_always_lock_free);

  ClientCounts(unsigned workers, const SharedNames& names) : workers_(workers), names_(names) {}
  std::size_t size() const { return kClientUses * kPlaces * workers_ * sizeof(Count); }
  // The counts of all workers for one place stand side by side.
  Count& at(unsigned worker, std::uint32_t place, ClientUse use) const {
    return counts_[(static_cast<std::size_t>(use) * kPlaces + place) * workers_ + worker];
  }

  Count* counts_ = nullptr;
  unsigned workers_;
  SharedNames names_;
};

}  // namespace sluice
