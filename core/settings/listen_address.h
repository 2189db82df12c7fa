// An address to listen on, and the grammar in which a person writes it.
//
// Touches no file and no socket, and looks up no more than names of hosts. Any thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "settings/name_service.h"

namespace sluice {

// One address to listen on: "HOST:PORT", "[V6]:PORT" or "unix:PATH"; "http://" may stand before the first two.
struct ListenAddress {
  std::string text;  // as written, without http://
  sockaddr_storage address{};
  socklen_t length = 0;
  std::vector<HostAddresses::One> others = {};  // that a name has, too: "localhost" has one of each family
  bool is_one_of_several = false;               // see every_address

  bool is_unix() const { return address.ss_family == AF_UNIX; }
  void set_port(std::uint16_t port);  // REQUIRES: !is_unix()
};

// Numeric or named host; a name is looked up (getaddrinfo(3)), which may find several addresses. Port 0 lets
// the kernel choose.
Result<ListenAddress> parse_listen(std::string_view text);

// The addresses that it stands for, each for itself; one that is not one of several is the only one.
std::vector<ListenAddress> every_address(const ListenAddress& address);

}  // namespace sluice
