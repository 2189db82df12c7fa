#include "config_settings.h"

#include <fmt/core.h>
#include <algorithm>
#include <string_view>
#include <vector>

#include "settings/mount_spec.h"
#include "site_options.h"
#include "spelling.h"

namespace sluice::cli {
namespace {

// Lets a key be written as the option or the variable is: --head-timeout, head_timeout, SLUICE_HEAD_TIMEOUT.
std::string without_prefix(std::string_view key) {
  constexpr std::string_view kVariable = "SLUICE_";
  if (key.starts_with(kVariable)) key.remove_prefix(kVariable.size());
  std::string name(key.substr(std::min(key.find_first_not_of('-'), key.size())));
  for (char& byte : name) {
    if (byte == '_') byte = '-';
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  }
  return name;
}

using Fits = bool (*)(const ServeOption&);

Unexpected unknown_key(const std::string& key, Fits fits, std::string_view where) {
  std::vector<std::string_view> known;
  for (const ServeOption& candidate : serve_options()) {
    if (fits(candidate)) known.emplace_back(candidate.name);
  }
  const auto nearest = likely_word(without_prefix(key), known);
  if (nearest) return fail(fmt::format("there is no key '{}'{}: did you mean '{}'?", key, where, *nearest));
  return fail(
      fmt::format("there is no key '{}'{}: the keys are the long options of 'sluice serve --help', without "
                  "dashes",
                  key, where));
}

Result<const ServeOption*> find_option(const ConfigEntry& entry, bool in_site) {
  const std::string& key = entry.key;
  const ServeOption* option = find_serve_option(key);
  const Fits fits = in_site ? is_in_site : is_in_file;
  if (option != nullptr && !fits(*option)) {
    if (option->given == Given::at_start)
      return fail(fmt::format("'{}' cannot stand in a file: write --{} on the command line", key, key));
    return fail(in_site ? fmt::format("'{}' is of the whole server: write it above the first [[site]]", key)
                        : fmt::format("'{}' is of a site: write it below [[site]]", key));
  }
  if (option == nullptr) return unknown_key(key, fits, in_site ? " of a site" : "");
  if (option->takes != Takes::values && entry.is_list)
    return fail(fmt::format("'{}' takes one value: write it without brackets", key));
  if (entry.values.empty()) return fail(fmt::format("'{}' has no value: write one, or remove the key", key));
  return option;
}

Result<MountSpec> to_mount_spec(const ConfigMount& mount) {
  std::string prefix;
  std::string module;
  WrittenOptions options;
  for (const ConfigEntry& entry : mount.entries) {
    if (entry.key != "at" && entry.key != "module") {
      for (const std::string& item : entry.values) options.emplace_back(entry.key, item);
      if (entry.values.empty()) options.emplace_back(entry.key, "");
      continue;
    }
    if (entry.is_list) return fail(fmt::format("'{}' takes one value: write it without brackets", entry.key));
    (entry.key == "at" ? prefix : module) = entry.values.empty() ? "" : entry.values.front();
  }
  const std::string kind = mount.filter ? "filter" : "mount";
  if (prefix.empty()) return fail(fmt::format("this {} has no place: add at = \"/\", for example", kind));
  const std::string subject = fmt::format("the {} {}", kind, prefix);
  return mount.filter ? make_filter(subject, prefix, module, options)
                      : make_mount(subject, prefix, module, options);
}

void add_mounts(const std::vector<ConfigMount>& mounts, const GivenPlaces& given, SiteSettings& site,
                Mistakes& mistakes) {
  for (const ConfigMount& mount : mounts) {
    if (mount.filter ? given.filters : given.mounts) continue;
    auto spec = to_mount_spec(mount);
    mistakes.take(spec ? add_mount(site, std::move(*spec)) : Result<void>(Unexpected(spec.error())),
                  mount.place);
  }
}

void add_site(const ConfigSite& site, ServeRequest& request, Mistakes& mistakes) {
  request.open_site = request.settings.sites.size();
  request.settings.sites.emplace_back();
  for (const ConfigEntry& entry : site.entries) {
    const auto option = find_option(entry, true);
    if (!option) {
      mistakes.add(entry.place, option.error());
      continue;
    }
    for (std::size_t i = 0; i < entry.values.size(); ++i)
      mistakes.take((*option)->set(**option, request, entry.values[i]), entry.places[i] + ": " + entry.key);
  }
  add_mounts(site.mounts, {}, request.site(), mistakes);
  request.open_site.reset();
}

}  // namespace

OptionTexts read_top_level(const ConfigFile& config, Mistakes& mistakes) {
  OptionTexts given;
  for (const ConfigEntry& entry : config.server.entries) {
    const auto option = find_option(entry, false);
    if (!option) {
      mistakes.add(entry.place, option.error());
      continue;
    }
    std::vector<OptionText>& values = given[entry.key];
    for (std::size_t i = 0; i < entry.values.size(); ++i)
      values.push_back({entry.values[i], entry.places[i] + ": " + entry.key});
  }
  return given;
}

void add_sites(const ConfigFile& config, const GivenPlaces& given, ServeRequest& request, Mistakes& mistakes) {
  add_mounts(config.server.mounts, given, request.settings, mistakes);
  for (const ConfigSite& site : config.sites) add_site(site, request, mistakes);
}

}  // namespace sluice::cli
