// What all TLS connections of a worker share: certificates and their keys, what may be negotiated, and the keys
// of session tickets. RFC 8446, RFC 5246; OpenSSL does the work.
//
// Made before the worker serves, then read-only. Loop thread, but for what OpenSSL itself shares with threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/kept_memory.h"
#include "base/ticket_keys.h"
#include "settings/certificate.h"

struct ssl_ctx_st;
struct ssl_st;

namespace sluice {

class TlsContext {
 public:
  // Parses the certificates and keys, and holds them against each other. The error names the file and a remedy.
  static Result<std::unique_ptr<TlsContext>> create(const std::vector<Certificate>& certificates,
                                                    TlsVersion min_version,
                                                    std::shared_ptr<const TicketKeys> ticket_keys);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* get() const { return context_.get(); }
  const TicketKeys& ticket_keys() const { return *ticket_keys_; }
  // A signature takes so long that handshakes belong on a thread.
  bool has_slow_key() const { return slow_key_; }
  // Records on their way from OpenSSL to a socket, within one call on the loop. A call begins with fresh ones,
  // since one that ran out of memory has left its own.
  std::string& records() { return records_; }
  std::string& fresh_records() {
    records_.clear();
    return records_;
  }
  void forget_records() {
    records_.clear();
    give_back_above(records_, kRecordsKept);
  }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };

  explicit TlsContext(std::shared_ptr<const TicketKeys> ticket_keys) : ticket_keys_(std::move(ticket_keys)) {}
  bool negotiate(TlsVersion min_version);
  Result<void> add(const Certificate& certificate);

  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::shared_ptr<const TicketKeys> ticket_keys_;
  static constexpr std::size_t kRecordsKept = 256 * 1024;
  std::string records_;
  bool slow_key_ = false;
};

}  // namespace sluice
