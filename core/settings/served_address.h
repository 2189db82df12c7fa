// The addresses of a server, each with the sites that answer there. Plain values; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "settings/listen_address.h"
#include "settings/networks.h"
#include "settings/site_names.h"

namespace sluice {

// What a site says of itself to those who look for its addresses.
struct AddressedSite {
  std::string label;  // for errors
  const std::vector<std::string>& names;
  const std::vector<ListenAddress>& listen;
  Networks proxies{};  // as ServedAddress has them
};

struct ServedAddress {
  ListenAddress at;
  SiteNames names;
  Networks proxies{};  // whose connections begin with a PROXY header
};

// Brings the addresses of all sites together: sites may share one, if they write it alike. A site is known by
// its place in the list. The error is one sentence: a name that two sites claim, for example.
Result<std::vector<ServedAddress>> serve_addresses(const std::vector<AddressedSite>& sites);

}  // namespace sluice
