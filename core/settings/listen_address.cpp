#include "settings/listen_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <fmt/core.h>
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "settings/written_text.h"

namespace sluice {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto number = parse_decimal(text);
  if (!number || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

template <typename Address>
ListenAddress make_listen(std::string_view text, const Address& address, std::size_t length) {
  ListenAddress result;
  result.text = text;
  std::memcpy(&result.address, &address, sizeof(address));
  result.length = static_cast<socklen_t>(length);
  return result;
}

Result<ListenAddress> parse_unix(std::string_view text, std::string_view path) {
  sockaddr_un address{};
  constexpr std::size_t kPathMax = sizeof(address.sun_path) - 1;
  if (path.empty()) return fail(fmt::format("the address '{}' names no socket: write unix:PATH", text));
  if (path.size() > kPathMax) {
    return fail(fmt::format("the address '{}' has a path of {} bytes: a Unix socket's path has at most {}",
                            text, path.size(), kPathMax));
  }
  if (std::any_of(path.begin(), path.end(), is_control_byte))
    return fail(fmt::format("the address '{}' has a control character in its path: write unix:PATH", text));
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, kPathMax);
  return make_listen(text, address, offsetof(sockaddr_un, sun_path) + path.size() + 1);
}

Result<ListenAddress> parse_v4(std::string_view text, const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (host.empty() || host == "*") {
    address.sin_addr.s_addr = htonl(INADDR_ANY);
  } else if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return fail(
        fmt::format("the address '{}' begins with '{}', which is not an IPv4 address: write four numbers of "
                    "0 to 255, as in 127.0.0.1",
                    text, host));
  }
  return make_listen(text, address, sizeof(address));
}

// Looks up IPv6 addresses as well: they may name an interface behind '%', which inet_pton(3) does not take.
Result<ListenAddress> look_up(std::string_view text, const std::string& host, std::uint16_t port, int family) {
  const HostAddresses found = look_up_host(host, port, family);
  if (found.error != 0 && family == AF_INET6) {
    return fail(
        fmt::format("the address '{}' has '{}' in its brackets, which is not an IPv6 address: write "
                    "[::1]:8080, for example",
                    text, host));
  }
  if (found.error != 0) {
    return fail(fmt::format("the host '{}' of the address '{}' cannot be looked up: {}", host, text,
                            gai_strerror(found.error)));
  }
  ListenAddress result{std::string(text), found.all.front().address, found.all.front().length, {}, false};
  result.others.assign(found.all.begin() + 1, found.all.end());
  return result;
}

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

// Takes the scheme off an address that is written as a URL: https://HOST:PORT/. The scheme's port is added if
// there is none.
Result<std::string> without_scheme(std::string_view text) {
  const std::string subject = "the address " + in_quotes(text);
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || text.substr(0, scheme) == "unix") return std::string(text);
  const std::string_view prefix = text.substr(0, scheme + 3);
  if (prefix != kHttp && prefix != kHttps) {
    return fail(
        fmt::format("{} begins with '{}': write HOST:PORT, or https://HOST:PORT for TLS", subject, prefix));
  }
  std::string rest(text.substr(prefix.size()));
  if (rest.starts_with("unix:"))
    return fail(subject + " is a Unix socket, which has no scheme: write unix:PATH");
  if (rest.ends_with('/')) rest.pop_back();
  if (rest.find('/') != std::string::npos) {
    return fail(subject + " has a path: write HOST:PORT alone; --mount says what answers at a path");
  }
  if (rest.empty()) return fail(subject + " names no host: write HOST:PORT");
  const bool has_port = rest.rfind(':') != std::string::npos && rest.back() != ']';
  return has_port ? rest : rest + (prefix == kHttps ? ":443" : ":80");
}

// What the writer of an address without a port most likely meant.
std::string with_port(std::string_view text) {
  if (text.find('/') != std::string_view::npos)
    return fmt::format("write HOST:PORT, or unix:{} for a Unix socket", text);
  if (parse_port(text)) return fmt::format("write 127.0.0.1:{}, or *:{} for all addresses", text, text);
  if (text.empty()) return "write HOST:PORT, [V6]:PORT or unix:PATH";
  return fmt::format("write {}:8080, for example", text);
}

}  // namespace

Result<ListenAddress> parse_listen(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  const auto bare = without_scheme(text);
  if (!bare) return Unexpected(bare.error());
  if (*bare != text) {
    const bool tls = text.starts_with(kHttps);
    return parse_listen(*bare).map([tls](ListenAddress address) {
      address.tls = tls;
      return address;
    });
  }
  if (text.substr(0, kUnix.size()) == kUnix) return parse_unix(text, text.substr(kUnix.size()));
  const std::string subject = "the address " + in_quotes(text);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || (text.front() == '[' && text.back() == ']'))
    return fail(fmt::format("{} has no port: {}", subject, with_port(text)));
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) {
    return fail(
        fmt::format("{} has the port '{}': a port is a number of 0 to 65535", subject, text.substr(colon + 1)));
  }
  const std::string host(text.substr(0, colon));
  if (std::any_of(host.begin(), host.end(), is_control_byte))
    return fail(subject + " has a control character in its host: write HOST:PORT");
  if (!host.empty() && host.front() == '[') {
    if (host.back() != ']') return fail(subject + " has no ']' before its port: write [V6]:PORT");
    return look_up(text, host.substr(1, host.size() - 2), *port, AF_INET6);
  }
  if (host.find(':') != std::string::npos)
    return fail(subject + " has an IPv6 address without brackets: write [V6]:PORT, as in [::1]:8080");
  // The resolver does not see digits and dots, because it takes "127.1" and "2130706433" for addresses.
  if (host == "*" || host.find_first_not_of("0123456789.") == std::string::npos)
    return parse_v4(text, host, *port);
  return look_up(text, host, *port, AF_UNSPEC);
}

std::uint16_t port_of(const ListenAddress& address) {
  const auto* socket = &address.address;
  if (socket->ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(socket)->sin_port);
  if (socket->ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(socket)->sin6_port);
  return 0;
}

void ListenAddress::set_port(std::uint16_t port) {
  // The port is at the same place for both families.
  reinterpret_cast<sockaddr_in*>(&address)->sin_port = htons(port);
}

std::vector<ListenAddress> every_address(const ListenAddress& address) {
  ListenAddress one = address;
  one.others.clear();
  one.is_one_of_several = !address.others.empty();
  std::vector<ListenAddress> all{one};
  for (const HostAddresses::One& other : address.others) {
    one.address = other.address;
    one.length = other.length;
    all.push_back(one);
  }
  return all;
}

}  // namespace sluice
