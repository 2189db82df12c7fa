#include "process/inherited_sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace sluice {
namespace {

constexpr int kFirst = 3;                    // SD_LISTEN_FDS_START
constexpr std::uint64_t kSocketsMax = 1024;  // more are a mistake

// Empty for a socket without a path.
std::string path_of(const ListenAddress& address) {
  constexpr std::size_t kPath = offsetof(sockaddr_un, sun_path);
  if (address.length <= kPath) return "";
  const char* path = reinterpret_cast<const sockaddr_un*>(&address.address)->sun_path;
  return {path, ::strnlen(path, address.length - kPath)};
}

bool is_same_file(const std::string& path, const std::string& other) {
  struct stat one {};
  struct stat two {};
  return ::stat(path.c_str(), &one) == 0 && ::stat(other.c_str(), &two) == 0 && one.st_dev == two.st_dev &&
         one.st_ino == two.st_ino;
}

// Otherwise they come from another process, which has not removed them.
bool is_for_this_process(const ServiceVariables& variables) {
  return parse_decimal(variables.listen_pid) == static_cast<std::uint64_t>(::getpid());
}

// As a person writes it in the settings.
std::string text_of(const ListenAddress& address) {
  char host[INET6_ADDRSTRLEN]{};
  if (address.is_unix()) return "unix:" + path_of(address);
  if (address.address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host));
    return fmt::format("[{}]:{}", host, ntohs(v6.sin6_port));
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address.address);
  ::inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host));
  return fmt::format("{}:{}", host, ntohs(v4.sin_port));
}

// The value of a socket's option, or -1.
int option_of(int socket, int level, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  return ::getsockopt(socket, level, option, &value, &size) == 0 ? value : -1;
}

bool is_listening_stream(int fd, int family) {
  return (family == AF_INET || family == AF_INET6 || family == AF_UNIX) &&
         option_of(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM && option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1;
}

// Such a socket would show clients of IPv4 by addresses of IPv6, which no rule for addresses expects.
bool takes_both_families(int fd, const ListenAddress& address) {
  return address.address.ss_family == AF_INET6 && option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0 &&
         IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(address.address).sin6_addr);
}

}  // namespace

std::string InheritedSockets::Socket::label() const {
  return address.text + (name.empty() ? "" : fmt::format(" ({})", name));
}

bool InheritedSockets::Socket::is_at(const ListenAddress& other) const {
  if (address.address.ss_family != other.address.ss_family) return false;
  if (!address.is_unix())
    return address.length == other.length && std::memcmp(&address.address, &other.address, address.length) == 0;
  const std::string path = path_of(address);
  return !path.empty() && (path == path_of(other) || is_same_file(path, path_of(other)));
}

Result<InheritedSockets::Socket> InheritedSockets::take_one(int fd, std::string name) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) {
    return fail(
        fmt::format("LISTEN_FDS passes descriptor {}, which is not open: remove the variable, or start the "
                    "server by its .socket unit",
                    fd));
  }
  Socket socket;
  socket.fd.reset(fd);
  socket.name = std::move(name);
  ListenAddress& address = socket.address;
  address.length = sizeof(address.address);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  const bool has_address =
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address.address), &address.length) == 0;
  if (!has_address || !is_listening_stream(fd, address.address.ss_family)) {
    return fail(
        fmt::format("LISTEN_FDS passes descriptor {}, which is not a socket that listens for streams: use "
                    "ListenStream= and Accept=no in the .socket unit",
                    fd));
  }
  address.text = text_of(address);
  if (takes_both_families(fd, address)) {
    return fail(
        fmt::format("the passed socket at {} takes IPv4 as well: write BindIPv6Only=ipv6-only into the .socket "
                    "unit, and ListenStream=0.0.0.0:PORT if IPv4 is wanted",
                    socket.label()));
  }
  ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  return socket;
}

std::optional<std::string> InheritedSockets::meant_for_other(const ServiceVariables& variables) {
  if (variables.listen_fds.empty() || is_for_this_process(variables)) return std::nullopt;
  return fmt::format(
      "the sockets of LISTEN_FDS are not used, since LISTEN_PID is '{}' and this is process {}: have the "
      "service manager start sluice itself, or a script that ends with exec, or remove the variables",
      variables.listen_pid, ::getpid());
}

Result<InheritedSockets> InheritedSockets::take(const ServiceVariables& variables) {
  InheritedSockets inherited;
  if (variables.listen_fds.empty() || !is_for_this_process(variables)) return inherited;
  const auto count = parse_decimal(variables.listen_fds);
  if (!count || *count > kSocketsMax) {
    return fail(
        fmt::format("LISTEN_FDS is '{}': it has to be the number of passed sockets, at most {}; remove the "
                    "variable, or start the server by its .socket unit",
                    variables.listen_fds, kSocketsMax));
  }
  std::string_view names = variables.listen_fdnames;
  for (int i = 0; i < static_cast<int>(*count); ++i) {
    auto socket = take_one(kFirst + i, std::string(take_part(names, ":")));
    if (!socket) return Unexpected(socket.error());
    inherited.sockets_.push_back(std::move(*socket));
  }
  return inherited;
}

Result<InheritedSockets> InheritedSockets::take_over(const Handover& handover) {
  InheritedSockets inherited;
  for (const HandedSocket& handed : handover.sockets) {
    if (!handed.is_passed) continue;
    auto socket = take_one(handed.fd, handed.text);
    if (!socket) return Unexpected(socket.error());
    inherited.sockets_.push_back(std::move(*socket));
  }
  return inherited;
}

void InheritedSockets::hand_over(Handover& handover) const {
  for (const Socket& socket : sockets_) handover.sockets.push_back({socket.fd.get(), socket.name, true});
}

Result<void> InheritedSockets::check_wanted(const ServingPlan& plan) const {
  std::vector<ListenAddress> wanted;
  for (const ServingGroup& group : plan.groups) {
    for (const ServedAddress& address : group.addresses) {
      for (ListenAddress& one : every_address(address.at)) wanted.push_back(std::move(one));
    }
  }
  for (const Socket& socket : sockets_) {
    if (std::any_of(wanted.begin(), wanted.end(), [&](const auto& one) { return socket.is_at(one); })) continue;
    return fail(fmt::format(
        "the passed socket at {} is at no address of the settings: add it to listen, or remove it from "
        "the .socket unit",
        socket.label()));
  }
  return {};
}

bool InheritedSockets::has(const ListenAddress& address) const {
  return std::any_of(sockets_.begin(), sockets_.end(),
                     [&](const auto& socket) { return socket.is_at(address); });
}

Result<std::vector<UniqueFd>> InheritedSockets::at(const ListenAddress& address) const {
  std::vector<UniqueFd> copies;
  for (const Socket& socket : sockets_) {
    if (!socket.is_at(address)) continue;
    copies.emplace_back(::fcntl(socket.fd.get(), F_DUPFD_CLOEXEC, kFirst));
    if (!copies.back()) return fail_errno("cannot copy the passed socket at " + socket.label(), errno);
  }
  return copies;
}

}  // namespace sluice
