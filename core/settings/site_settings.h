// What a person can set for one site, which is what answers to requests for certain names. Plain values; any
// thread.
//
// What a site leaves out is as in the settings of the server: see make_plan.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "settings/listen_address.h"
#include "settings/mount_spec.h"
#include "settings/networks.h"

namespace sluice {

// In place of a certificate's path: one for development, made when the server starts.
inline constexpr std::string_view kSelfSigned = "self-signed";

// Whether clients show certificates of their own. `unsaid`: as in the settings of the server.
enum class ClientCertificates : std::uint8_t { unsaid, off, asked, required };

// Whether requests in clear text are sent to https:// by a redirect.
enum class Redirect : std::uint8_t { unsaid, off, https };

// In place of a file of the access log.
inline constexpr std::string_view kStdout = "stdout";
inline constexpr std::string_view kNoAccessLog = "off";

enum class AccessLogFormat : std::uint8_t { unsaid, combined, json };

// Strict-Transport-Security (RFC 6797 section 6.1).
struct TransportSecurity {
  std::uint64_t seconds = 0;  // 0: the field is not sent
  bool subdomains = false;
  bool preload = false;
  bool said = false;
};

// What is spoken besides HTTP/1.1. Over TLS the client chooses (RFC 7301).
struct Protocols {
  bool http1 = true;
  bool http2 = true;         // over TLS
  bool http2_clear = false;  // in clear text, to clients that know it (RFC 9113 section 3.3)
  bool said = false;
};

struct SiteSettings {
  std::vector<std::string> names;  // as parse_site_name makes them; none: the default site of its addresses
  std::string log_name;            // in the log and in `sluice status`; empty: the first name
  std::string root;                // empty: as the server's; that one is the working folder by default
  std::vector<ListenAddress> listen;
  GivenNetworks proxy_protocol;  // whose connections to these addresses begin with a PROXY header
  std::vector<MountSpec> mounts;
  std::vector<std::string> certificates;  // files, or kSelfSigned
  std::vector<std::string> keys;          // of the certificates that are files, in their order
  ClientCertificates client_certificates = ClientCertificates::unsaid;
  std::string client_ca;  // a file: who has signed the clients' certificates
  Redirect redirect = Redirect::unsaid;
  Protocols protocols;
  TransportSecurity hsts;
  std::string access_log;  // a file, kStdout or kNoAccessLog; empty: unsaid, and off by default
  AccessLogFormat access_log_format = AccessLogFormat::unsaid;
  std::string error_pages;  // a folder with pages that are named by their status: 404.html

  // Whether there is a mount, besides filters.
  bool has_mounts() const;
  // The first address with TLS, also of isolated mounts; null if there is none.
  const ListenAddress* first_with_tls() const;
};

}  // namespace sluice
