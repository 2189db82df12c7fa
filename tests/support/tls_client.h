// A client that speaks TLS with OpenSSL, and tells what a browser would notice. Blocking, with a time limit.
//
// Every failure but those that are asked for is thrown as std::runtime_error. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "support/http_client.h"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace sluice::test {

struct TlsOptions {
  std::string name = "localhost";          // asked for; empty for none
  int version = 0;                         // TLS1_2_VERSION or TLS1_3_VERSION; 0: the newest
  ssl_session_st* session = nullptr;       // to resume
  std::string protocols = "\x08http/1.1";  // offered by ALPN; empty for none
  std::string suites = "";                 // of TLS 1.3, by OpenSSL's names; empty: all
  int timeout_ms = kClientTimeoutMs;       // of the handshake, and of each read and write
};

class TlsClient {
 public:
  // Connects and shakes hands. The certificate is not checked.
  explicit TlsClient(const Endpoint& endpoint, const TlsOptions& options = {});
  // The same on a connected socket, which becomes the client's.
  TlsClient(int socket, const TlsOptions& options);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Of the server's certificate, as browsers show it.
  std::string fingerprint() const;
  std::string protocol() const;  // chosen by ALPN
  int version() const;
  bool was_resumed() const;
  // For another connection; the last one that the server has offered.
  std::shared_ptr<ssl_session_st> session() const;

  void send(std::string_view bytes);
  // Changes the key that the client seals with, so many times, and asks the server for the same or not.
  void update_keys(int times, bool asks);
  // Reads until the server ends or breaks the connection.
  std::string read_all();
  // Reads so many bytes, or fewer at the end.
  std::string read(std::size_t size);
  // Reads what has come, and waits if nothing has; empty at the end.
  std::string read_available();
  // The server has said that nothing follows (close_notify).
  bool ended_in_order() const { return ended_in_order_; }
  // Sends a request that closes, and reads its answer whole.
  std::string get(std::string_view target);

 private:
  void shake_hands(const TlsOptions& options);

  struct Free {
    void operator()(ssl_ctx_st* context) const;
    void operator()(ssl_st* ssl) const;
  };
  int socket_;
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::unique_ptr<ssl_st, Free> ssl_;
  std::shared_ptr<ssl_session_st> session_;
  bool ended_in_order_ = false;
};

}  // namespace sluice::test
