// What a server shows to clients that ask for one of its names: certificates with their keys, and whether it
// asks clients for theirs.
//
// Made before the worker serves, then read-only. Loop thread, but for what OpenSSL itself shares with threads.
#pragma once

#include <array>
#include <memory>

struct ssl_ctx_st;

namespace sluice {

struct TlsIdentity {
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };

  std::unique_ptr<ssl_ctx_st, Free> context;
  // A signature takes so long that handshakes belong on a thread.
  bool is_slow = false;
  // Clients may choose HTTP/2.
  bool speaks_http2 = true;
  // Of the certificates, and of what clients have to show. A session is resumed only under the same one.
  std::array<unsigned char, 32> digest{};
};

}  // namespace sluice
