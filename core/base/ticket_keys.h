// The keys with which session tickets of TLS are sealed (RFC 5077 section 4), in memory that all workers share:
// a client resumes its session with whichever worker it meets, also after a reload or a worker's death.
//
// The supervisor makes and replaces them; workers read. The memory is in no core dump.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/error.h"

namespace sluice {

struct TicketKey {
  std::array<unsigned char, 16> name;    // stands in the ticket
  std::array<unsigned char, 32> cipher;  // AES-256-CBC
  std::array<unsigned char, 32> digest;  // HMAC with SHA-256
};

class TicketKeys {
 public:
  // How long a key seals new tickets. It opens them for as long again.
  static constexpr std::uint64_t kLifetimeMs = 12 * 3600 * 1000ULL;

  // With fresh keys.
  static Result<std::shared_ptr<TicketKeys>> make();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys() = default;

  // Replaces the key if it is old enough by now. REQUIRES: one caller, the supervisor.
  void rotate_if_due(std::uint64_t now_ms);

  // The key that seals.
  TicketKey current() const { return read(0); }
  struct Found {
    TicketKey key;
    bool is_current = false;
  };
  // The key of that name, if it may still open tickets.
  std::optional<Found> find(std::span<const unsigned char, 16> name) const;

 private:
  // A sequence lock: the number is odd while the keys change.
  struct Shared {
    std::atomic<std::uint32_t> sequence;
    std::atomic<std::uint64_t> made_ms;
    TicketKey keys[2];  // the current one, and the one before
  };
  struct Unmap {
    void operator()(Shared* shared) const;
  };

  explicit TicketKeys(Shared* shared) : shared_(shared) {}
  TicketKey read(std::size_t index) const;

  std::unique_ptr<Shared, Unmap> shared_;
};

}  // namespace sluice
