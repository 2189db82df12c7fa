// Who may see the status: clients on this host, and those that the option `allow` names.
//
// A proxy on this host makes all the world a client on this host. So a request that says that it was passed on
// is refused, unless `allow` names where it comes from. Plain values; any thread.
#pragma once

#include <sluice/handler.h>

#include <utility>
#include <vector>

#include "common/http/address_range.h"

namespace sluice::status {

class ViewerRule {
 public:
  explicit ViewerRule(std::vector<files::AddressRange> allow) : allow_(std::move(allow)) {}
  bool admits(Exchange& exchange) const;

 private:
  std::vector<files::AddressRange> allow_;
};

}  // namespace sluice::status
