#include "settings/mount_spec.h"

#include <fmt/core.h>
#include <algorithm>
#include <set>

#include "settings/option_value.h"
#include "settings/written_text.h"

namespace sluice {
namespace {

constexpr bool is_name_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         byte == '_' || byte == '-';
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_byte);
}

Result<std::string> parse_prefix(std::string_view text, std::string_view prefix) {
  const std::string subject = "the mount " + quoted(text);
  if (prefix.empty() || prefix.front() != '/') {
    return fail(fmt::format("{} has the prefix '{}': a prefix begins with '/', as in /docs/=static_sendfile",
                            subject, prefix));
  }
  for (const char byte : prefix) {
    if (byte == '%' || byte == '?' || byte == '#') {
      return fail(
          fmt::format("{} has a '{}' in its prefix: write the path itself, neither encoded nor with a query",
                      subject, byte));
    }
    if (is_control_byte(byte)) return fail(subject + " has a control character in its prefix: remove it");
  }
  std::string result(prefix);
  if (result.back() != '/') result.push_back('/');
  for (std::size_t start = 1; start < result.size();) {
    const std::size_t end = result.find('/', start);
    const std::string segment = result.substr(start, end - start);
    if (segment.empty()) return fail(subject + " has '//' in its prefix: write one slash");
    if (segment == "." || segment == "..") {
      return fail(fmt::format(
          "{} has the segment '{}' in its prefix: paths of requests never have one, so leave it out", subject,
          segment));
    }
    start = end + 1;
  }
  return result;
}

// Takes one KEY=VALUE off the front of `rest`. Afterwards `rest` is empty or begins with the next comma.
Result<std::pair<std::string, std::string>> take_option(std::string_view text, std::string_view& rest,
                                                        bool is_first) {
  const std::string subject = "the mount " + quoted(text);
  const std::size_t equals = rest.find_first_of("=,");
  const std::string_view key = rest.substr(0, equals);
  if (key.empty())
    return fail(subject + " has no option behind a ':' or ',': write PREFIX=MODULE:KEY=VALUE,KEY=VALUE");
  if (equals == std::string_view::npos || rest[equals] == ',') {
    return fail(fmt::format("{} has the option '{}' without a value: write KEY=VALUE{}", subject, key,
                            is_first ? "" : ", or \\, if the comma belongs to the value before it"));
  }
  if (!is_name(key)) {
    return fail(fmt::format("{} has an option named '{}': a name is made of letters, digits, '_' and '-'",
                            subject, key));
  }
  std::string value;
  std::size_t end = equals + 1;
  for (; end < rest.size() && rest[end] != ','; ++end) {
    if (rest[end] == '\\') {
      ++end;
      if (end == rest.size() || (rest[end] != ',' && rest[end] != '\\')) {
        return fail(fmt::format(
            "{} has a lone backslash in the value of '{}': write \\\\ for a backslash and \\, for a "
            "comma",
            subject, key));
      }
    }
    value.push_back(rest[end]);
  }
  rest.remove_prefix(end);
  return std::pair(std::string(key), std::move(value));
}

// Takes an option of the server into `mount`; false if the option is the module's.
Result<bool> take_own_option(const std::string& subject, const std::string& key, const std::string& value,
                             MountSpec& mount) {
  if (key == "root") {
    if (value.empty()) return fail(subject + " has an empty root: name a folder, as in root=docs");
    mount.root = value;
    return true;
  }
  if (key == "isolate") {
    const auto flag = parse_flag(value);
    if (!flag) return fail(fmt::format("{}, option isolate: {}", subject, flag.error().message));
    mount.isolate = *flag;
    return true;
  }
  if (key == "listen") {
    auto address = parse_listen(value);
    if (!address) return Unexpected(address.error());
    mount.listen = std::move(*address);
    return true;
  }
  return false;
}

Result<void> parse_options(std::string_view text, std::string_view rest, MountSpec& mount) {
  const std::string subject = "the mount " + quoted(text);
  std::set<std::string> given;
  while (true) {
    auto option = take_option(text, rest, given.empty());
    if (!option) return Unexpected(option.error());
    const auto& [key, value] = *option;
    if (!given.insert(key).second)
      return fail(fmt::format("{} gives the option '{}' twice: give it once", subject, key));
    const auto taken = take_own_option(subject, key, value, mount);
    if (!taken) return Unexpected(taken.error());
    if (!*taken) mount.options.push_back(std::move(*option));
    if (rest.empty()) break;
    rest.remove_prefix(1);
  }
  if (mount.isolate != mount.listen.has_value()) {
    return fail(subject + (mount.isolate ? " is isolated, but has no address of its own: add listen=ADDRESS"
                                         : " has an address of its own, but is not isolated: add isolate=on"));
  }
  return {};
}

}  // namespace

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
    return fail(
        fmt::format("{} has a module named '{}': a name is made of letters, digits, '_' and '-', and options "
                    "follow behind ':'",
                    subject, mount.module));
  }
  if (colon == std::string_view::npos) return mount;
  const auto options = parse_options(text, rest.substr(colon + 1), mount);
  if (!options) return Unexpected(options.error());
  return mount;
}

}  // namespace sluice
