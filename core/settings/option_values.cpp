#include "settings/option_values.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>

#include "settings/name_service.h"

namespace sluice {
namespace {

constexpr std::uint32_t kWorkersMax = 256;

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

constexpr bool is_control(char byte) {
  return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
}

constexpr bool is_name_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         byte == '_' || byte == '-';
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_byte);
}

// Nothing where it does not fit.
std::optional<std::uint64_t> multiply(std::uint64_t value, std::uint64_t by) {
  if (value > std::numeric_limits<std::uint64_t>::max() / by) return std::nullopt;
  return value * by;
}

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
  if (path.empty()) return fail("the address " + quoted(text) + " names no socket: write unix:PATH");
  if (path.size() > kPathMax) {
    return fail("the address " + quoted(text) + " has a path of " + std::to_string(path.size()) +
                " bytes: a Unix socket's path has at most " + std::to_string(kPathMax));
  }
  if (std::any_of(path.begin(), path.end(), is_control))
    return fail("the address " + quoted(text) + " has a control character in its path: write unix:PATH");
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
    return fail("the address " + quoted(text) + " begins with " + quoted(host) +
                ", which is no IPv4 address: write four numbers of 0 to 255, as in 127.0.0.1");
  }
  return make_listen(text, address, sizeof(address));
}

// An IPv6 address may carry its interface behind '%'.
Result<ListenAddress> look_up(std::string_view text, const std::string& host, std::uint16_t port, int family) {
  const HostAddresses found = look_up_host(host, port, family);
  if (found.error != 0 && family == AF_INET6) {
    return fail("the address " + quoted(text) + " has " + quoted(host) +
                " in its brackets, which is no IPv6 address: write [::1]:8080, for example");
  }
  if (found.error != 0) {
    return fail("the host " + quoted(host) + " of the address " + quoted(text) +
                " cannot be looked up: " + gai_strerror(found.error));
  }
  ListenAddress result{std::string(text), found.all.front().address, found.all.front().length, {}, false};
  result.others.assign(found.all.begin() + 1, found.all.end());
  return result;
}

// An address may stand as a browser shows it: http://HOST:PORT/, with port 80 where there is none.
Result<std::string> without_scheme(std::string_view text) {
  constexpr std::string_view kHttp = "http://";
  const std::string subject = "the address " + quoted(text);
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || text.substr(0, scheme) == "unix") return std::string(text);
  if (text.substr(0, scheme + 3) != kHttp) {
    return fail(subject + " begins with " + quoted(text.substr(0, scheme + 3)) +
                ": only HTTP in clear text is spoken, so write HOST:PORT");
  }
  std::string rest(text.substr(kHttp.size()));
  if (rest.ends_with('/')) rest.pop_back();
  if (rest.find('/') != std::string::npos) {
    return fail(subject + " has a path: write HOST:PORT alone, and what is served where with --mount");
  }
  if (rest.empty()) return fail(subject + " names no host: write HOST:PORT");
  const bool has_port = rest.rfind(':') != std::string::npos && rest.back() != ']';
  return has_port ? rest : rest + ":80";
}

// How an address without a port was most likely meant.
std::string with_port(std::string_view text) {
  if (text.find('/') != std::string_view::npos)
    return "write HOST:PORT, or unix:" + std::string(text) + " for a Unix socket";
  if (parse_port(text))
    return "write 127.0.0.1:" + std::string(text) + ", or *:" + std::string(text) + " for all addresses";
  if (text.empty()) return "write HOST:PORT, [V6]:PORT or unix:PATH";
  return "write " + std::string(text) + ":8080, for example";
}

Result<std::string> parse_prefix(std::string_view text, std::string_view prefix) {
  const std::string subject = "the mount " + quoted(text);
  if (prefix.empty() || prefix.front() != '/') {
    return fail(subject + " has the prefix " + quoted(prefix) +
                ": a prefix begins with '/', as in /docs/=static_sendfile");
  }
  for (const char byte : prefix) {
    if (byte == '%' || byte == '?' || byte == '#') {
      return fail(subject + " has a '" + byte +
                  "' in its prefix: write the path itself, neither encoded nor with a query");
    }
    if (is_control(byte)) return fail(subject + " has a control character in its prefix: remove it");
  }
  std::string result(prefix);
  if (result.back() != '/') result.push_back('/');
  for (std::size_t start = 1; start < result.size();) {
    const std::size_t end = result.find('/', start);
    const std::string segment = result.substr(start, end - start);
    if (segment.empty()) return fail(subject + " has '//' in its prefix: write one slash");
    if (segment == "." || segment == "..") {
      return fail(subject + " has the segment " + quoted(segment) +
                  " in its prefix: no request ever has one, so write the path without it");
    }
    start = end + 1;
  }
  return result;
}

// Takes one KEY=VALUE from the front of `rest`, which then is empty or begins with the comma behind it.
Result<std::pair<std::string, std::string>> take_option(std::string_view text, std::string_view& rest,
                                                        bool is_first) {
  const std::string subject = "the mount " + quoted(text);
  const std::size_t equals = rest.find_first_of("=,");
  const std::string_view key = rest.substr(0, equals);
  if (key.empty())
    return fail(subject + " lacks an option where it promises one: write PREFIX=MODULE:KEY=VALUE,KEY=VALUE");
  if (equals == std::string_view::npos || rest[equals] == ',') {
    return fail(subject + " has the option " + quoted(key) + " without a value: write KEY=VALUE" +
                (is_first ? "" : ", or \\, for a comma that belongs to the value before it"));
  }
  if (!is_name(key)) {
    return fail(subject + " has an option named " + quoted(key) +
                ": a name is made of letters, digits, '_' and '-'");
  }
  std::string value;
  std::size_t end = equals + 1;
  for (; end < rest.size() && rest[end] != ','; ++end) {
    if (rest[end] == '\\') {
      ++end;
      if (end == rest.size() || (rest[end] != ',' && rest[end] != '\\')) {
        return fail(subject + " has a lone backslash in the value of " + quoted(key) +
                    ": write \\\\ for a backslash and \\, for a comma");
      }
    }
    value.push_back(rest[end]);
  }
  rest.remove_prefix(end);
  return std::pair(std::string(key), std::move(value));
}

Unexpected given_twice(const std::string& subject, std::string_view key) {
  return fail(subject + " gives the option " + quoted(key) + " twice: give it once");
}

// Takes what is the server's own, not the module's. False for what is not.
Result<bool> take_own_option(const std::string& subject, const std::string& key, const std::string& value,
                             MountSpec& mount) {
  if (key == "root") {
    if (mount.root) return given_twice(subject, key);
    if (value.empty()) return fail(subject + " has an empty root: name a folder, as in root=docs");
    mount.root = value;
    return true;
  }
  if (key == "isolate") {
    const auto flag = parse_flag(value);
    if (!flag) return fail(subject + ", option isolate: " + flag.error().message);
    mount.isolate = *flag;
    return true;
  }
  if (key == "listen") {
    if (mount.listen) return given_twice(subject, key);
    auto address = parse_listen(value);
    if (!address) return Unexpected(address.error());
    mount.listen = std::move(*address);
    return true;
  }
  return false;
}

Result<void> parse_options(std::string_view text, std::string_view rest, MountSpec& mount) {
  const std::string subject = "the mount " + quoted(text);
  for (bool is_first = true;;) {
    auto option = take_option(text, rest, is_first);
    is_first = false;
    if (!option) return Unexpected(option.error());
    auto& [key, value] = *option;
    const auto same_key = [&name = key](const auto& other) { return other.first == name; };
    const auto taken = take_own_option(subject, key, value, mount);
    if (!taken) return Unexpected(taken.error());
    if (!*taken) {
      if (std::any_of(mount.options.begin(), mount.options.end(), same_key)) return given_twice(subject, key);
      mount.options.push_back(std::move(*option));
    }
    if (rest.empty()) break;
    rest.remove_prefix(1);
  }
  if (mount.isolate != mount.listen.has_value()) {
    return fail(subject + (mount.isolate ? " is isolated, but has no address of its own: add listen=ADDRESS"
                                         : " has an address of its own, but is not isolated: add isolate=on"));
  }
  return {};
}

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

// A number with one of the suffixes.
template <std::size_t Count>
std::optional<std::uint64_t> parse_scaled(std::string_view text, const Unit (&units)[Count]) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_decimal(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.suffix == text.substr(digits)) return multiply(*number, unit.factor);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

Result<ListenAddress> parse_listen(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  const auto bare = without_scheme(text);
  if (!bare) return Unexpected(bare.error());
  if (*bare != text) return parse_listen(*bare);
  if (text.substr(0, kUnix.size()) == kUnix) return parse_unix(text, text.substr(kUnix.size()));
  const std::string subject = "the address " + quoted(text);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || (text.front() == '[' && text.back() == ']'))
    return fail(subject + " has no port: " + with_port(text));
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) {
    return fail(subject + " has the port " + quoted(text.substr(colon + 1)) +
                ": a port is a number of 0 to 65535");
  }
  const std::string host(text.substr(0, colon));
  if (std::any_of(host.begin(), host.end(), is_control))
    return fail(subject + " has a control character in its host: write HOST:PORT");
  if (!host.empty() && host.front() == '[') {
    if (host.back() != ']') return fail(subject + " has no ']' before its port: write [V6]:PORT");
    return look_up(text, host.substr(1, host.size() - 2), *port, AF_INET6);
  }
  if (host.find(':') != std::string::npos)
    return fail(subject + " has an IPv6 address without brackets: write [V6]:PORT, as in [::1]:8080");
  // Digits and dots are never left to the resolver, which takes "127.1" and "2130706433" for addresses.
  if (host == "*" || host.find_first_not_of("0123456789.") == std::string::npos)
    return parse_v4(text, host, *port);
  return look_up(text, host, *port, AF_UNSPEC);
}

void ListenAddress::set_port(std::uint16_t port) {
  // At the same place for both families.
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

Result<MountSpec> parse_mount(std::string_view text) {
  const std::string subject = "the mount " + quoted(text);
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos)
    return fail(subject + " names no module: write PREFIX=MODULE, as in /docs/=static_sendfile");
  auto prefix = parse_prefix(text, text.substr(0, equals));
  if (!prefix) return Unexpected(prefix.error());
  const std::string_view rest = text.substr(equals + 1);
  const std::size_t colon = rest.find(':');
  MountSpec mount;
  mount.prefix = std::move(*prefix);
  mount.module = rest.substr(0, colon);
  if (mount.module.empty())
    return fail(subject + " names no module: write PREFIX=MODULE, as in /docs/=static_sendfile");
  if (!is_name(mount.module)) {
    return fail(subject + " has a module named " + quoted(mount.module) +
                ": a name is made of letters, digits, '_' and '-', and its options stand behind ':'");
  }
  if (colon == std::string_view::npos) return mount;
  const auto options = parse_options(text, rest.substr(colon + 1), mount);
  if (!options) return Unexpected(options.error());
  return mount;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::uint64_t kKibi = 1024;
  constexpr Unit kUnits[] = {
      {"", 1},
      {"k", kKibi},
      {"K", kKibi},
      {"m", kKibi * kKibi},
      {"M", kKibi * kKibi},
      {"g", kKibi * kKibi * kKibi},
      {"G", kKibi * kKibi * kKibi},
  };
  const auto bytes = parse_scaled(text, kUnits);
  if (!bytes) return fail(quoted(text) + " is no size: write bytes, as in 65536, 64k, 1M or 2G");
  return *bytes;
}

Result<std::uint64_t> parse_duration_ms(std::string_view text) {
  constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  if (const auto bare = parse_decimal(text)) {
    // Other servers mean seconds, this one would mean milliseconds: nobody has to guess.
    if (*bare == 0) return 0;
    const std::string digits(text);
    return fail(quoted(text) + " has no unit: write " + digits + "s or " + digits + "ms");
  }
  const auto duration_ms = parse_scaled(text, kUnits);
  if (!duration_ms)
    return fail(quoted(text) + " is no time: write 500ms, 30s, 5m or 1h, as one whole number and its unit");
  return *duration_ms;
}

Result<std::uint32_t> parse_workers(std::string_view text) {
  if (text == "auto") return 0;
  const auto number = parse_decimal(text);
  if (!number || *number == 0 || *number > kWorkersMax) {
    return fail(quoted(text) + " is no number of workers: write auto, or a number of 1 to " +
                std::to_string(kWorkersMax));
  }
  return static_cast<std::uint32_t>(*number);
}

Result<LogLevel> parse_log_level(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "info") return LogLevel::info;
  if (text == "warning") return LogLevel::warning;
  if (text == "error") return LogLevel::error;
  return fail(quoted(text) + " is no log level: write debug, info, warning or error");
}

Result<bool> parse_flag(std::string_view text) {
  if (text == "on" || text == "true" || text == "yes" || text == "1") return true;
  if (text == "off" || text == "false" || text == "no" || text == "0") return false;
  return fail(quoted(text) + " is neither on nor off: write on or off, true or false, yes or no, 1 or 0");
}

}  // namespace sluice
