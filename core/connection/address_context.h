// What all connections of one address use. It outlives them. Loop thread.
#pragma once

#include "settings/site_names.h"

namespace sluice {

struct TlsServices;

struct AddressContext {
  const SiteNames& sites;
  TlsServices* tls = nullptr;  // null: clear text
  bool redirects = true;       // a site may send its clients to https:// from here
  bool http2_clear = false;    // clients may begin with HTTP/2 in clear text
};

}  // namespace sluice
