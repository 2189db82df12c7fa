// What all connections of one address use. It outlives them. Loop thread.
#pragma once

#include "base/paced_log.h"
#include "settings/networks.h"
#include "settings/site_names.h"
#include "telemetry/client_limits.h"

namespace sluice {

struct TlsServices;

// The proxies at an address that introduce their clients.
struct IntroducingProxies {
  const Networks& networks;
  PacedLog log{};  // of connections that are refused
};

struct AddressContext {
  const SiteNames& sites;
  TlsServices* tls = nullptr;             // null: clear text
  bool redirects = true;                  // a site may send its clients to https:// from here
  bool http2_clear = false;               // clients may begin with HTTP/2 in clear text
  IntroducingProxies* proxies = nullptr;  // null: none
  ClientLimits* clients = nullptr;        // null: clients have no limits
};

}  // namespace sluice
