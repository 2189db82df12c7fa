// Who may see the status: clients on this host, and those that the option `allow` names.
//
// A proxy on this host makes all the world a client on this host, so a request that was passed on, or that came
// by a Unix socket, is none. And a page of another site can let its name lead to this host (DNS rebinding), so
// the request has to name an IP address or localhost. Neither is asked of those that `allow` names. Plain
// values; any thread.
#pragma once

#include <sluice/handler.h>

#include <utility>
#include <vector>

#include "common/http/address_range.h"

namespace sluice::status {

class ViewerRule {
 public:
  explicit ViewerRule(std::vector<files::AddressRange> allow) : allow_(std::move(allow)) {}
  // Null if the client may see the status; otherwise why not, in a sentence.
  const char* why_not(Exchange& exchange) const;

 private:
  std::vector<files::AddressRange> allow_;
};

}  // namespace sluice::status
