// The one table of the options of `sluice serve`. Command line, environment and file all read it, so an
// option has the same name, meaning and check everywhere. Constant data; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "option_texts.h"
#include "settings/settings.h"

namespace sluice::cli {

// All settings of a start of `sluice serve`.
struct ServeRequest {
  Settings settings;
  std::string config_file;  // empty for none
  bool check = false;       // say what would be served, and end
  // Options of sites are set there: nullopt is the server, whose own ones are for the default site.
  std::optional<std::size_t> open_site{};

  SiteSettings& site() { return open_site ? settings.sites[*open_site] : settings; }
};

enum class Takes : std::uint8_t {
  flag,    // no value on the command line, on or off elsewhere
  value,   // one value
  values,  // one value each time the option is given
};

// Where an option may be given.
enum class Given : std::uint8_t {
  at_start,   // on the command line and in the environment
  to_server,  // there, and at the top of the file
  to_sites,   // there, and in [[site]]
  in_site,    // in [[site]] alone
};

struct ServeOption {
  const char* name;      // "head-timeout": --head-timeout, SLUICE_HEAD_TIMEOUT, head-timeout = ...
  const char* argument;  // the name of the value in the help; null for a flag
  const char* group;
  Takes takes;
  Given given;
  const char* help;
  Result<void> (*set)(const ServeOption& option, ServeRequest& request, const std::string& text);
  std::string (*fallback)();  // the default, as the help shows it; null for none
  std::uint64_t low = 0;      // bounds of a number
  std::uint64_t high = 0;
};

std::span<const ServeOption> serve_options();

constexpr bool is_in_file(const ServeOption& option) {
  return option.given == Given::to_server || option.given == Given::to_sites;
}
constexpr bool is_on_command_line(const ServeOption& option) {
  return option.given != Given::in_site;
}
constexpr bool is_in_site(const ServeOption& option) {
  return option.given == Given::to_sites || option.given == Given::in_site;
}

// Null for an unknown name.
const ServeOption* find_serve_option(std::string_view name);

// "SLUICE_HEAD_TIMEOUT"
std::string variable_name(const ServeOption& option);

inline constexpr const char* kDefaultListen = "127.0.0.1:8080";

}  // namespace sluice::cli
