#include "access/address_rules.h"

namespace sluice::access {

Verdict AddressRules::judge(std::string_view client) const {
  if (allow.empty() && deny.empty()) return Verdict::undecided;
  const files::ClientAddress address = files::parse_client(client);
  // The system no longer knows the address of a client that has reset its connection.
  if (address.family == files::ClientAddress::Family::unknown || any_has(deny, address))
    return Verdict::refused;
  if (any_has(allow, address)) return Verdict::allowed;
  return allow.empty() ? Verdict::undecided : Verdict::refused;
}

}  // namespace sluice::access
