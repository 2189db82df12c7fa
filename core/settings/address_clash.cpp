#include "settings/address_clash.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <fmt/core.h>
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

namespace sluice {
namespace {

namespace fs = std::filesystem;

template <typename Address>
const Address& as(const ListenAddress& address) {
  return reinterpret_cast<const Address&>(address.address);
}

// The path of the address' socket, with the symbolic links of its folder resolved.
fs::path place_of(const ListenAddress& address) {
  const fs::path path = as<sockaddr_un>(address).sun_path;
  std::error_code error;
  const fs::path folder = fs::weakly_canonical(fs::absolute(path, error).parent_path(), error);
  return folder / path.filename();
}

// Whether it stands for all addresses of the machine, of its family.
bool is_any(const ListenAddress& address) {
  if (address.address.ss_family == AF_INET6)
    return IN6_IS_ADDR_UNSPECIFIED(&as<sockaddr_in6>(address).sin6_addr);
  return as<sockaddr_in>(address).sin_addr.s_addr == htonl(INADDR_ANY);
}

bool is_same(const ListenAddress& one, const ListenAddress& other) {
  if (one.is_unix()) return place_of(one) == place_of(other);
  return one.length == other.length && std::memcmp(&one.address, &other.address, one.length) == 0;
}

bool exclude_each_other(const ListenAddress& one, const ListenAddress& other) {
  if (one.address.ss_family != other.address.ss_family) return false;
  if (one.is_unix()) return is_same(one, other);
  // The port is at the same place for both families. For each port 0 the kernel chooses another one.
  const std::uint16_t port = as<sockaddr_in>(one).sin_port;
  if (port == 0 || port != as<sockaddr_in>(other).sin_port) return false;
  return is_any(one) || is_any(other) || is_same(one, other);
}

struct Taken {
  std::size_t site = 0;
  ListenAddress address;
};

Result<void> take(std::size_t site, const ListenAddress& address, std::vector<Taken>& taken) {
  const Taken* in_the_way = nullptr;
  bool has_one = false;
  for (const ListenAddress& one : every_address(address)) {
    const auto other = std::find_if(taken.begin(), taken.end(), [&](const Taken& before) {
      return exclude_each_other(one, before.address);
    });
    if (other == taken.end()) {
      taken.push_back({site, one});
      has_one = true;
    } else if (other->site == site && !one.is_unix() && is_same(one, other->address) &&
               one.tls == other->address.tls) {
      has_one = true;
    } else {
      in_the_way = &*other;
    }
  }
  if (has_one) return {};
  return fail(
      fmt::format("cannot listen on both {} and {}, because one is the other or includes it: leave one of "
                  "them out",
                  in_the_way->address.text, address.text));
}

}  // namespace

Result<void> check_together(const std::vector<std::vector<ListenAddress>>& sites) {
  std::vector<Taken> taken;
  for (std::size_t site = 0; site < sites.size(); ++site) {
    for (const ListenAddress& address : sites[site]) {
      const auto done = take(site, address, taken);
      if (!done) return done;
    }
  }
  return {};
}

}  // namespace sluice
