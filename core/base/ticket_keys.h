// The keys with which session tickets of TLS are sealed (RFC 5077 section 4), in memory that all workers share:
// a client resumes its session with whichever worker it meets, also after a reload or a worker's death.
//
// The supervisor makes and replaces them; workers read. The memory is in no core dump. Keys that several hosts
// share come from a file, and are replaced by those of another file.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

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
  // With keys of a file, which are never rotated: the first one seals, and all open. Each is written as the
  // bytes of TicketKey. REQUIRES: one key, or up to kKeysMax.
  static constexpr std::size_t kKeysMax = 3;
  static Result<std::shared_ptr<TicketKeys>> make(std::string_view file);
  // With those that another process has packed.
  static Result<std::shared_ptr<TicketKeys>> unpack(std::string_view packed);
  // The keys and their age, as bytes; empty if they are of a file, which other processes can read. The caller
  // overwrites the bytes when it needs them no more.
  std::string pack() const;
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys() = default;

  // Replaces the key if it is old enough by now, unless it is of a file. REQUIRES: one caller, the supervisor.
  void rotate_if_due(std::uint64_t now_ms);
  bool are_of_file() const { return are_of_file_; }
  // Whether they are the keys of a file with these bytes.
  bool are(std::string_view file) const;

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
    std::size_t count;         // of keys in use
    TicketKey keys[kKeysMax];  // the one that seals, then others that open
  };
  struct Unmap {
    void operator()(Shared* shared) const;
  };

  explicit TicketKeys(Shared* shared) : shared_(shared) {}
  static Result<std::shared_ptr<TicketKeys>> map(std::size_t count);
  TicketKey read(std::size_t index) const;

  std::unique_ptr<Shared, Unmap> shared_;
  bool are_of_file_ = false;
};

}  // namespace sluice
