// Moves the sending side of a TLS connection into the kernel, which then makes the records of what the socket
// sends, so that a file is sent without passing through the process. Linux Documentation/networking/tls.rst;
// RFC 8446 sections 5.5, 7.1 and 7.3.
//
// Only TLS 1.3. Receiving stays with OpenSSL. One thread at a time, as TlsStream.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

struct ssl_ctx_st;
struct ssl_st;

namespace sluice {

// The key that OpenSSL seals a connection's content with. Its memory is overwritten by `forget`, and at its
// end.
struct SendKey {
  std::array<unsigned char, 48> secret{};  // server_application_traffic_secret_0
  std::size_t size = 0;                    // of the secret; 0: not known
  std::uint64_t records = 0;               // made with it

  SendKey() = default;
  ~SendKey() { forget(); }
  SendKey(const SendKey&) = delete;
  SendKey& operator=(const SendKey&) = delete;
  void forget();
};

// For a context whose connections may move.
void allow_noting(ssl_ctx_st* context);
// Notes the connection's key and counts its records from now on, until forget_send_key.
void note_send_key(ssl_st* ssl, SendKey& key);
void forget_send_key(ssl_st* ssl);

// From now on the kernel makes the records. REQUIRES: the handshake is done, and all that it made is sent.
// False: OpenSSL goes on.
bool start_kernel_tls(int socket, ssl_st* ssl, const SendKey& key);
// Tells the client that nothing follows (close_notify). False, with errno, when the socket does not take it.
bool end_kernel_tls(int socket);

}  // namespace sluice
