#include "settings/mount_spec.h"

#include <fmt/core.h>
#include <algorithm>
#include <set>

#include "settings/option_value.h"
#include "settings/site_names.h"
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

Result<std::string> parse_prefix(const std::string& subject, std::string_view prefix) {
  if (prefix.empty() || prefix.front() != '/') {
    return fail(fmt::format("{} has the prefix '{}': a prefix begins with '/', as in /docs/", subject, prefix));
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

// The site's name before the prefix, if there is one. It has a dot or a colon, or is localhost: "docs/" is
// rather a prefix that lacks its first slash.
Result<std::string> take_name(std::string_view place) {
  const std::string_view name = place.substr(0, place.find('/'));
  if (name.empty() || name.size() == place.size()) return std::string();
  const std::string_view bare = name.substr(0, name.size() - (name.back() == '.' ? 1 : 0));
  if (bare != "localhost" && bare.find_first_of(".:") == std::string_view::npos) return std::string();
  return parse_site_name(name);
}

// Takes one KEY=VALUE off the front of `rest`. Afterwards `rest` is empty or begins with the next comma.
Result<std::pair<std::string, std::string>> take_option(const std::string& subject, std::string_view& rest,
                                                        bool is_first) {
  const std::size_t equals = rest.find_first_of("=,");
  const std::string_view key = rest.substr(0, equals);
  if (key.empty())
    return fail(subject + " has no option behind a ':' or ',': write PREFIX=MODULE:KEY=VALUE,KEY=VALUE");
  if (equals == std::string_view::npos || rest[equals] == ',') {
    return fail(fmt::format("{} has the option '{}' without a value: write KEY=VALUE{}", subject, key,
                            is_first ? "" : ", or \\, if the comma belongs to the value before it"));
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

Result<WrittenOptions> take_options(const std::string& subject, std::string_view rest) {
  WrittenOptions options;
  while (true) {
    auto option = take_option(subject, rest, options.empty());
    if (!option) return Unexpected(option.error());
    options.push_back(std::move(*option));
    if (rest.empty()) return options;
    rest.remove_prefix(1);
  }
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

Result<void> sort_options(const std::string& subject, const WrittenOptions& options, MountSpec& mount) {
  std::set<std::string> given;
  for (const auto& [key, value] : options) {
    if (!is_name(key)) {
      return fail(fmt::format("{} has an option named '{}': a name is made of letters, digits, '_' and '-'",
                              subject, key));
    }
    const auto taken = take_own_option(subject, key, value, mount);
    if (!taken) return Unexpected(taken.error());
    if (*taken && !given.insert(key).second)
      return fail(fmt::format("{} gives the option '{}' twice: give it once", subject, key));
    if (!*taken) mount.options.emplace_back(key, value);
  }
  if (mount.isolate == mount.listen.has_value()) return {};
  return fail(subject + (mount.isolate ? " is isolated, but has no address of its own: add listen=ADDRESS"
                                       : " has an address of its own, but is not isolated: add isolate=on"));
}

// Parses [NAME]PREFIX=MODULE[:KEY=VALUE...]. `make` makes what the parts mean.
Result<MountSpec> parse_place(const char* kind, const char* example, std::string_view text,
                              decltype(make_mount)& make) {
  const std::string subject = fmt::format("the {} {}", kind, in_quotes(text));
  const std::size_t equals = text.find('=');
  const std::string_view place = text.substr(0, equals);
  const std::string_view rest = equals == std::string_view::npos ? "" : text.substr(equals + 1);
  const std::size_t colon = rest.find(':');
  if (rest.substr(0, colon).empty())
    return fail(fmt::format("{} names no module: write PREFIX=MODULE, as in {}", subject, example));
  auto name = take_name(place);
  if (!name) return fail(fmt::format("{}: {}", subject, name.error().message));
  WrittenOptions options;
  if (colon != std::string_view::npos) {
    auto taken = take_options(subject, rest.substr(colon + 1));
    if (!taken) return Unexpected(taken.error());
    options = std::move(*taken);
  }
  return make(subject, place.substr(name->empty() ? 0 : place.find('/')), rest.substr(0, colon), options)
      .map([&](MountSpec spec) {
        spec.site_name = std::move(*name);
        return spec;
      });
}

}  // namespace

Result<MountSpec> make_mount(const std::string& subject, std::string_view prefix, std::string_view module,
                             const WrittenOptions& options) {
  MountSpec mount;
  auto parsed = parse_prefix(subject, prefix);
  if (!parsed) return Unexpected(parsed.error());
  mount.prefix = std::move(*parsed);
  if (module.empty()) return fail(subject + " names no module: `sluice modules` lists the names");
  if (!is_name(module)) {
    return fail(fmt::format("{} has a module named '{}': a name is made of letters, digits, '_' and '-'",
                            subject, module));
  }
  mount.module = module;
  const auto sorted = sort_options(subject, options, mount);
  if (!sorted) return Unexpected(sorted.error());
  return mount;
}

Result<MountSpec> make_filter(const std::string& subject, std::string_view prefix, std::string_view module,
                              const WrittenOptions& options) {
  for (const auto& [key, value] : options) {
    if (key == "isolate" || key == "listen" || key == "root")
      return fail(fmt::format("{} has the option {}, which only mounts have: remove it", subject, key));
  }
  auto filter = make_mount(subject, prefix, module, options);
  if (filter) filter->filter = true;
  return filter;
}

Result<MountSpec> parse_mount(std::string_view text) {
  return parse_place("mount", "/docs/=static_sendfile", text, make_mount);
}

Result<MountSpec> parse_filter(std::string_view text) {
  return parse_place("filter", "/docs/=headers", text, make_filter);
}

}  // namespace sluice
