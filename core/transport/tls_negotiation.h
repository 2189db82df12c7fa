// What this server negotiates in a handshake, and the calls by which OpenSSL asks it. RFC 8446, RFC 5246, RFC
// 6066, RFC 7301.
//
// Threads: the one that computes the step of the handshake.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ticket_keys.h"
#include "settings/settings.h"

struct ssl_ctx_st;

namespace sluice {

struct TlsIdentity;

// The side of a handshake that OpenSSL's calls ask. An SSL object of this server has it as its application data
// (SSL_set_app_data).
class TlsHandshaker {
 public:
  // For a name in lower case; for a client that asks for none if it is empty. Null if nobody has the name.
  virtual const TlsIdentity* identity_for(const std::string& name) const = 0;
  // Shows this identity to the client. false without memory.
  virtual bool take_identity(const TlsIdentity& identity) = 0;
  // Whether the client may choose HTTP/2 under the identity that was taken.
  virtual bool speaks_http2() const = 0;
  virtual const TicketKeys& ticket_keys() const = 0;
  // Nobody has the name that the client asks for, so the handshake fails.
  virtual void refuse_name(const std::string& name) = 0;

 protected:
  ~TlsHandshaker() = default;
};

// Sets what is negotiated, which is the same for all identities. The error names the setting.
Result<void> negotiate_as_server(ssl_ctx_st* context, const Settings& settings);

}  // namespace sluice
