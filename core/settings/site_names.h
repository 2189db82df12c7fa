// The names of sites: their grammar, and the table that finds a site by the name that a client asks for.
//
// Plain values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"

namespace sluice {

// A host's name or address, without a port; "*.example.org" stands for all names one level below. The result
// is in lower case.
Result<std::string> parse_site_name(std::string_view text);

// The sites of one address.
class SiteNames {
 public:
  static constexpr std::uint32_t kNoSite = ~std::uint32_t{0};

  // false: another site has the name.
  bool add(const std::string& name, std::uint32_t site);
  // For all other names. false: there is one already.
  bool add_default(std::uint32_t site);

  // The default site, or kNoSite.
  std::uint32_t default_site() const { return default_; }
  // The default site, else the first one that was added: for clients that name nobody.
  std::uint32_t some_site() const { return default_ == kNoSite ? first_ : default_; }
  // Whether one site answers to every name.
  bool is_single() const { return names_.empty(); }
  // The site of this host, which has no port: the one with the name, else the one with a wildcard for it, else
  // the default site. Allocates nothing, but for IPv6 addresses.
  std::uint32_t find(std::string_view host) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> names_;
  std::uint32_t default_ = kNoSite;
  std::uint32_t first_ = kNoSite;
};

}  // namespace sluice
