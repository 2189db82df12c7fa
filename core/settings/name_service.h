// Names of hosts and users, looked up in the system's databases (nsswitch.conf(5)), which may ask a network and
// keep who asks for long.
//
// Whoever has others to serve lets a child do it: the child asks for everything that will be asked for and
// hands over what it has heard (`heard_names`); meanwhile there is nothing to wait for, and afterwards the same
// questions are answered from that (`HeardNames`). One thread.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct HostAddresses {
  struct One {
    sockaddr_storage address{};
    socklen_t length = 0;
  };
  int error = 0;         // of getaddrinfo(3)
  std::vector<One> all;  // at least one without an error, each once
};
// `family` AF_INET6 is for an address in brackets, which is no name. For stream sockets.
HostAddresses look_up_host(const std::string& host, std::uint16_t port, int family);

struct UserNumbers {
  uid_t uid = 0;
  gid_t gid = 0;
};
std::optional<UserNumbers> look_up_user(const std::string& name);

// All answers that this process has had until now.
std::string heard_names();

// Answers from what another process has heard, as long as it lives. What was not asked for there has no answer:
// EAI_AGAIN, or no such user.
class HeardNames {
 public:
  explicit HeardNames(std::string_view heard);
  ~HeardNames();
  HeardNames(const HeardNames&) = delete;
  HeardNames& operator=(const HeardNames&) = delete;
};

}  // namespace sluice
