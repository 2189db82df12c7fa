// An address to listen on, and its grammar.
//
// Parsing looks up names of hosts, and touches no file or socket. Any thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "settings/name_service.h"

namespace sluice {

// One address to listen on: "HOST:PORT", "[V6]:PORT" or "unix:PATH"; "http://" or "https://" may stand before
// the first two.
struct ListenAddress {
  std::string text;  // as written, without the scheme
  sockaddr_storage address{};
  socklen_t length = 0;
  std::vector<HostAddresses::One> others = {};  // a name's other addresses: "localhost" has one of each family
  bool is_one_of_several = false;               // see every_address
  bool tls = false;                             // https://

  bool is_unix() const { return address.ss_family == AF_UNIX; }
  void set_port(std::uint16_t port);  // REQUIRES: !is_unix()
};

// 0 for a Unix socket, and where the kernel is to choose one.
std::uint16_t port_of(const ListenAddress& address);

// The host is numeric or a name. A name is looked up (getaddrinfo(3)) and may have several addresses. For port
// 0 the kernel chooses one.
Result<ListenAddress> parse_listen(std::string_view text);

// A socket that listens at an address of a worker.
struct ListeningSocket {
  int fd = -1;
  std::uint32_t address = 0;  // of ServingGroup::addresses

  bool operator==(const ListeningSocket&) const = default;
};

// Splits an address with `others` into one ListenAddress for each. An address without `others` is the only one.
std::vector<ListenAddress> every_address(const ListenAddress& address);

}  // namespace sluice
