#include "settings/served_address.h"

#include <netinet/in.h>

#include <fmt/core.h>
#include <algorithm>
#include <cstring>
#include <optional>

namespace sluice {
namespace {

bool is_equal(const ListenAddress& one, const ListenAddress& other) {
  return one.length == other.length && std::memcmp(&one.address, &other.address, one.length) == 0;
}

bool has_address(const std::vector<ListenAddress>& all, const ListenAddress& address) {
  return std::any_of(all.begin(), all.end(), [&](const ListenAddress& one) { return is_equal(one, address); });
}

enum class Shared { no, partly, wholly };
Shared compare(const ListenAddress& one, const ListenAddress& other) {
  const std::vector<ListenAddress> mine = every_address(one);
  const std::vector<ListenAddress> others = every_address(other);
  const auto is_there = [&](const ListenAddress& address) { return has_address(others, address); };
  const auto common = std::count_if(mine.begin(), mine.end(), is_there);
  if (common == 0) return Shared::no;
  const bool all = mine.size() == others.size() && static_cast<std::size_t>(common) == mine.size();
  return all ? Shared::wholly : Shared::partly;
}

bool lets_choose_port(const ListenAddress& address) {
  // The port is at the same place for both families.
  return !address.is_unix() && reinterpret_cast<const sockaddr_in&>(address.address).sin_port == 0;
}

// Where the addresses of one site are in the list of all.
class Addresses {
 public:
  Addresses(const AddressedSite& site, std::vector<ServedAddress>& served) : site_(site), served_(served) {}

  // Finds the address, or adds it. Nothing if the site has it already.
  Result<std::optional<std::size_t>> take(const ListenAddress& address) {
    const std::size_t known = served_.size();
    for (std::size_t i = 0; i < known; ++i) {
      if (!has(i) && compare(address, served_[i].at) == Shared::partly) return overlaps(address, served_[i].at);
    }
    for (std::size_t i = 0; i < known; ++i) {
      if (compare(address, served_[i].at) != Shared::wholly) continue;
      if (has(i) && lets_choose_port(address)) continue;  // another port each time
      if (address.tls != served_[i].at.tls) return differs(address, served_[i].at);
      if (served_[i].proxies != site_.proxies) return differs_in_proxies(address);
      if (has(i)) return std::nullopt;
      taken_.push_back(i);
      return i;
    }
    served_.push_back({address, {}, site_.proxies});
    taken_.push_back(known);
    return known;
  }

 private:
  bool has(std::size_t i) const { return std::find(taken_.begin(), taken_.end(), i) != taken_.end(); }

  Unexpected overlaps(const ListenAddress& address, const ListenAddress& other) const {
    return fail(
        fmt::format("the site {} listens at {}, and another site at {}, which is partly the same: write "
                    "the same for both",
                    site_.label, address.text, other.text));
  }
  Unexpected differs(const ListenAddress& address, const ListenAddress& other) const {
    return fail(fmt::format(
        "the address {} is given {} https:// for the site {}, and {} it elsewhere: write it "
        "alike",
        address.text, address.tls ? "with" : "without", site_.label, other.tls ? "with" : "without"));
  }
  Unexpected differs_in_proxies(const ListenAddress& address) const {
    return fail(
        fmt::format("the site {} listens at {} with another proxy-protocol than a site before it: write the "
                    "same for both",
                    site_.label, address.text));
  }

  const AddressedSite& site_;
  std::vector<ServedAddress>& served_;
  std::vector<std::size_t> taken_;
};

Result<void> claim(ServedAddress& served, const std::vector<AddressedSite>& sites, std::uint32_t index) {
  const AddressedSite& site = sites[index];
  if (site.names.empty() && !served.names.add_default(index)) {
    return fail(
        fmt::format("the sites {} and {} both answer to all names at {}: give one of them names, or an "
                    "address of its own",
                    sites[served.names.default_site()].label, site.label, served.at.text));
  }
  for (const std::string& name : site.names) {
    if (served.names.add(name, index)) continue;
    return fail(
        fmt::format("the name {} is claimed twice at {}, by the sites {} and {}: remove it from one of "
                    "them",
                    name, served.at.text, sites[served.names.find(name)].label, site.label));
  }
  return {};
}

}  // namespace

Result<std::vector<ServedAddress>> serve_addresses(const std::vector<AddressedSite>& sites) {
  std::vector<ServedAddress> served;
  for (std::uint32_t i = 0; i < sites.size(); ++i) {
    Addresses addresses(sites[i], served);
    for (const ListenAddress& address : sites[i].listen) {
      const auto taken = addresses.take(address);
      if (!taken) return Unexpected(taken.error());
      if (!*taken) continue;
      const auto claimed = claim(served[**taken], sites, i);
      if (!claimed) return Unexpected(claimed.error());
    }
  }
  return served;
}

}  // namespace sluice
