#include "unknown_variables.h"

#include <fmt/core.h>
#include <algorithm>
#include <array>
#include <string_view>

#include "serve_options.h"
#include "spelling.h"
#include "text_layout.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kPrefix = "SLUICE_";
constexpr std::string_view kHome = "SLUICE_HOME";

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Kubernetes sets variables for every service in every container. One service may be called "sluice": then
// SLUICE_PORT is tcp://10.0.0.1:80.
bool is_of_a_service(std::string_view name, std::string_view value) {
  if (contains(name, "_SERVICE_HOST") || contains(name, "_SERVICE_PORT")) return true;
  const auto is_port = [](char byte) { return byte >= '0' && byte <= '9'; };
  for (std::size_t at = name.find("_PORT_"); at != std::string_view::npos; at = name.find("_PORT_", at + 1)) {
    if (at + 6 < name.size() && is_port(name[at + 6])) return true;
  }
  constexpr std::array<std::string_view, 3> kSchemes = {"tcp://", "udp://", "sctp://"};
  return name.ends_with("_PORT") && std::any_of(kSchemes.begin(), kSchemes.end(), [&](std::string_view scheme) {
           return value.starts_with(scheme);
         });
}

// Container images have variables for the release that they hold and for its origin: NGINX_VERSION,
// HTTPD_SHA256.
bool is_of_an_image(std::string_view name) {
  constexpr std::array<std::string_view, 12> kEndings = {"_VERSION",  "_RELEASE", "_REVISION", "_COMMIT",
                                                         "_SHA",      "_SHA1",    "_SHA256",   "_SHA512",
                                                         "_CHECKSUM", "_URL",     "_IMAGE",    "_TAG"};
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

// Makes "head-timeout" of "SLUICE_HEAD_TIMEOUT".
std::string option_name(std::string_view variable) {
  std::string name(variable.substr(kPrefix.size()));
  for (char& byte : name) {
    if (byte == '_') byte = '-';
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  }
  return name;
}

}  // namespace

std::vector<std::string> unknown_variables(const Environment& environment) {
  std::vector<std::string_view> names{"home"};
  for (const ServeOption& option : serve_options()) names.emplace_back(option.name);
  std::vector<std::string> sentences;
  for (const auto& [variable, value] : environment.all()) {
    if (!variable.starts_with(kPrefix) || variable == kHome) continue;
    if (is_of_a_service(variable, value) || is_of_an_image(variable)) continue;
    const std::string name = option_name(variable);
    const ServeOption* same = find_serve_option(name);
    if (same != nullptr && variable_name(*same) == variable) continue;
    const auto nearest = same != nullptr ? std::optional<std::string_view>(name) : likely_word(name, names);
    std::string meant = ": remove it; 'sluice serve --help' lists the options; each has a variable";
    if (nearest == "home") meant = fmt::format(": did you mean {}?", kHome);
    if (const ServeOption* option = nearest ? find_serve_option(*nearest) : nullptr)
      meant = fmt::format(": did you mean {}?", variable_name(*option));
    sentences.push_back(
        fmt::format("the variable {} of the environment is unknown{}", printable(variable), meant));
  }
  return sentences;
}

}  // namespace sluice::cli
