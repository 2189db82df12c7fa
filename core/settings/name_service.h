// Looks up names of hosts and users in the system's databases (nsswitch.conf(5)). They may ask a network, so a
// look-up may take long.
//
// The supervisor must not wait that long, so a child process looks up all names and hands its answers over
// (`heard_names`). The supervisor then gets the same look-ups answered from them (`HeardNames`). One thread.
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
  std::vector<One> all;  // without duplicates; not empty if `error` is 0
};
// Addresses for stream sockets. With `family` AF_INET6, `host` has to be a numeric address, not a name.
HostAddresses look_up_host(const std::string& host, std::uint16_t port, int family);

struct UserNumbers {
  uid_t uid = 0;
  gid_t gid = 0;
};
std::optional<UserNumbers> look_up_user(const std::string& name);

// All answers that this process has got until now.
std::string heard_names();

// While this object lives, look-ups are answered from `heard`, which another process made by heard_names(). A
// name that the other process did not look up gives EAI_AGAIN, or no user.
class HeardNames {
 public:
  explicit HeardNames(std::string_view heard);
  ~HeardNames();
  HeardNames(const HeardNames&) = delete;
  HeardNames& operator=(const HeardNames&) = delete;
};

}  // namespace sluice
