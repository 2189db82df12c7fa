// One site that answers to every name, in clear text: for programs that serve without settings. Outlives the
// connections.
#pragma once

#include <vector>

#include "connection/address_context.h"
#include "settings/site_plan.h"

namespace sluice {

struct SingleSite {
  SingleSite() { names.add_default(0); }

  std::vector<SitePlan> sites = std::vector<SitePlan>(1);
  SiteNames names;
  AddressContext address{names};
};

}  // namespace sluice
