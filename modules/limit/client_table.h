// What is known of each client: its bucket, and its requests under way. Each call takes constant time.
//
// Loop thread. Pointers to clients stay valid while they have requests under way.
//
// INVARIANT: a client is in `idle_` unless it has requests under way. At most kIdleMax are. The one that was
// idle longest gives way to another; those whose bucket is full again need not be known, and are forgotten.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

#include "limit/client_key.h"
#include "limit/token_bucket.h"

namespace sluice::limit {

struct Client {
  Key key{};
  TokenBucket bucket;
  std::uint64_t under_way = 0;
};

class ClientTable {
 public:
  static constexpr std::size_t kIdleMax = 16384;

  // The client with this key, made if it is not known. Valid until the next call, unless it is begun.
  Client& find(const Key& key, std::uint64_t now_ns);
  // One more of its requests is under way, or one less.
  void begin(Client& client);
  void end(Client& client);
  std::size_t size() const { return clients_.size(); }

 private:
  using Clients = std::list<Client>;
  static constexpr int kForgottenMax = 2;  // at one call: more than one, so that the table shrinks

  void make_room(std::uint64_t now_ns);
  void forget_oldest();

  Clients idle_;  // the one that was used last first
  Clients busy_;
  std::unordered_map<Key, Clients::iterator, KeyHash> clients_;
};

inline Client& ClientTable::find(const Key& key, std::uint64_t now_ns) {
  const auto known = clients_.find(key);
  if (known != clients_.end()) {
    const auto client = known->second;
    if (client->under_way == 0) idle_.splice(idle_.begin(), idle_, client);
    return *client;
  }
  make_room(now_ns);
  idle_.push_front({key, {}, 0});
  try {
    clients_.emplace(key, idle_.begin());
  } catch (...) {
    idle_.pop_front();
    throw;
  }
  return idle_.front();
}

inline void ClientTable::make_room(std::uint64_t now_ns) {
  for (int i = 0; i < kForgottenMax && !idle_.empty() && idle_.back().bucket.is_full(now_ns); ++i)
    forget_oldest();
  if (idle_.size() >= kIdleMax) forget_oldest();
}

inline void ClientTable::forget_oldest() {
  clients_.erase(idle_.back().key);
  idle_.pop_back();
}

inline void ClientTable::begin(Client& client) {
  if (client.under_way++ == 0) busy_.splice(busy_.begin(), idle_, clients_.at(client.key));
}

inline void ClientTable::end(Client& client) {
  if (--client.under_way == 0) idle_.splice(idle_.begin(), busy_, clients_.at(client.key));
  // Those that were under way at once may be more than may be idle.
  while (idle_.size() > kIdleMax) forget_oldest();
}

}  // namespace sluice::limit
