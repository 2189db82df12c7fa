#include "transport/tls_context.h"

#include <algorithm>

namespace sluice {

Result<std::unique_ptr<TlsContext>> TlsContext::create(const ServingPlan& plan, const ServedAddress& address,
                                                       TlsIdentities& identities) {
  std::unique_ptr<TlsContext> context(new TlsContext(plan));
  for (std::uint32_t i = 0; i < plan.sites.size(); ++i) {
    const SitePlan& site = plan.sites[i];
    Result<void> added;
    for (const std::string& name : site.settings.names) {
      if (added && address.names.find(name) == i) added = context->add(site, name, identities);
    }
    if (added && address.names.default_site() == i) added = context->add(site, "", identities);
    if (!added) return Unexpected(added.error());
  }
  // The default site's, else that of the first name.
  context->nameless_ = context->identities_[context->names_.some_site()];
  return context;
}

Result<void> TlsContext::add(const SitePlan& site, const std::string& name, TlsIdentities& identities) {
  const auto identity = identities.of(site, name);
  if (!identity) return Unexpected(identity.error());
  const auto known = std::find(identities_.begin(), identities_.end(), *identity);
  const auto index = static_cast<std::uint32_t>(known - identities_.begin());
  if (known == identities_.end()) identities_.push_back(*identity);
  if (name.empty()) {
    names_.add_default(index);
  } else {
    names_.add(name, index);
  }
  return {};
}

const TlsIdentity* TlsContext::find(std::string_view host) const {
  const std::uint32_t index = names_.find(host);
  return index == SiteNames::kNoSite ? nullptr : identities_[index];
}

}  // namespace sluice
