// Which addresses may pass. Plain values; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "common/http/address_range.h"

namespace sluice::access {

enum class Verdict {
  allowed,    // a rule names the address
  undecided,  // no rule does, and there are none that others would need
  refused,
};

struct AddressRules {
  std::vector<files::AddressRange> allow;
  std::vector<files::AddressRange> deny;

  // `client` is as Exchange::client_address says it. `deny` wins. Where `allow` names any, all others are
  // refused.
  Verdict judge(std::string_view client) const;
};

}  // namespace sluice::access
