// Which passwords have been found to make a hash, and the comparisons on threads that find it out. A comparison
// takes as long as the hash was made to take, so requests with the same credentials share it, also those that
// come while it runs.
//
// Nothing is kept of a password but its HMAC-SHA-256 together with the user and the hash, by a key that is
// random for each worker. A changed hash thus makes another one. Loop thread.
//
// INVARIANT: at most kVerifiedMax are kept, for kVerifiedMs each. Wrong passwords are not kept.
#pragma once

#include <sluice/handler.h>

#include <array>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "access/basic_credentials.h"

namespace sluice::access {

// One comparison, shared by the requests that wait for it.
struct PasswordCheck {
  enum class End { none, right, wrong, not_run };  // not_run: no thread was free in time
  End end = End::none;
  std::vector<Ticket> waiting;
};

class PasswordChecks {
 public:
  static constexpr std::size_t kVerifiedMax = 4096;
  static constexpr std::size_t kRunningMax =
      64;  // comparisons, so that others of the module wait for these alone
  static constexpr std::uint64_t kVerifiedMs = 600'000;

  // Throws std::runtime_error if the system has no random bytes.
  explicit PasswordChecks(Host& host);
  PasswordChecks(const PasswordChecks&) = delete;
  PasswordChecks& operator=(const PasswordChecks&) = delete;

  using Digest = std::array<unsigned char, 32>;
  Digest digest_of(const Credentials& credentials, const std::string& hash) const;
  // Whether a comparison has said lately that these credentials are right.
  bool has_verified(const Digest& digest);
  // The comparison that is under way, or a new one; null if the queue of the threads is full. It resumes the
  // exchange of `ticket` when it has ended. A `decoy` never ends right.
  std::shared_ptr<const PasswordCheck> compare(const Digest& digest, const Credentials& credentials,
                                               const std::string& hash, bool decoy, Ticket ticket);

 private:
  class Comparison;
  // The bytes are random already.
  struct DigestHash {
    std::size_t operator()(const Digest& digest) const {
      std::size_t hash = 0;
      std::memcpy(&hash, digest.data(), sizeof(hash));
      return hash;
    }
  };

  void end(const Digest& digest, PasswordCheck::End end);
  void keep(const Digest& digest);

  Host& host_;
  std::array<unsigned char, 32> key_{};
  std::unordered_map<Digest, std::shared_ptr<PasswordCheck>, DigestHash> running_;
  std::unordered_map<Digest, std::uint64_t, DigestHash> verified_;  // until when, by the host's clock
  std::deque<Digest> oldest_;                                       // all of verified_, the oldest first
};

}  // namespace sluice::access
