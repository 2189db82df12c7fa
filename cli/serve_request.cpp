#include "serve_request.h"

#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "config_settings.h"
#include "install_paths.h"

namespace sluice::cli {
namespace {

constexpr const char* kPluginsFolder = "plugins.d";

// Splits "a;b\nc". White space around a value is removed; empty values are left out.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> values;
  while (!text.empty()) {
    const std::string_view part = trimmed(take_part(text, ";\n"), " \t\r");
    if (!part.empty()) values.emplace_back(part);
  }
  return values;
}

// An empty variable counts as not set: compose files and unit files pass such ones on.
std::vector<OptionText> read_variable(const ServeOption& option, const Environment& environment) {
  const std::string name = variable_name(option);
  const auto text = environment(name);
  if (!text || text->empty()) return {};
  if (option.takes != Takes::values) return {{*text, name}};
  std::vector<OptionText> values;
  for (std::string& value : split_list(*text)) values.push_back({std::move(value), name});
  return values;
}

OptionTexts read_environment(const Environment& environment) {
  OptionTexts given;
  for (const ServeOption& option : serve_options()) {
    if (!is_on_command_line(option)) continue;
    auto values = read_variable(option, environment);
    if (!values.empty()) given.emplace(option.name, std::move(values));
  }
  return given;
}

void apply(const ServeOption& option, const std::vector<OptionText>& values, ServeRequest& request,
           Mistakes& mistakes) {
  for (const OptionText& value : values) mistakes.take(option.set(option, request, value.text), value.source);
}

// Applies the values of the first level that has any. Checks those of the levels below.
void apply_levels(const ServeOption& option, const std::vector<const OptionTexts*>& levels,
                  ServeRequest& request, Mistakes& mistakes) {
  bool settled = false;
  for (const OptionTexts* level : levels) {
    const auto values = level->find(option.name);
    if (values == level->end() || values->second.empty()) continue;
    ServeRequest unused;
    apply(option, values->second, settled ? unused : request, mistakes);
    settled = true;
  }
}

// systemd puts the folder that it made for a unit into RUNTIME_DIRECTORY.
std::string control_folder(const Environment& environment) {
  const std::string runtime = environment("RUNTIME_DIRECTORY").value_or("");
  if (!runtime.empty()) return runtime.substr(0, runtime.find(':'));
  if (::geteuid() == 0) return "/run/sluice";
  const std::string of_user = environment("XDG_RUNTIME_DIR").value_or("");
  return of_user.empty() ? "/tmp/sluice-" + std::to_string(::geteuid()) : of_user + "/sluice";
}

std::string home_folder(const Environment& environment) {
  return environment("SLUICE_HOME").value_or("");
}

std::vector<std::string> default_plugins(const Environment& environment) {
  if (const std::string home = home_folder(environment); !home.empty()) return {home + "/" + kPluginsFolder};
  std::vector<std::string> installed = installed_plugins(running_program());
  return installed.empty() ? std::vector<std::string>{kPluginsFolder} : installed;
}

Settings default_settings(const Environment& environment) {
  Settings settings;
  settings.control = kOwnControl;
  settings.control_folder = control_folder(environment);
  settings.limits.target_bytes_max = 0;  // 0: not given; finish() sets it
  return settings;
}

// The place of a mistake in the file, as line and column. Mistakes elsewhere have none, and come first.
std::pair<unsigned long, unsigned long> place_in(const std::string& file, const std::string& sentence) {
  if (file.empty() || !sentence.starts_with(file + ":")) return {};
  char* end = nullptr;
  const unsigned long line = std::strtoul(sentence.c_str() + file.size() + 1, &end, 10);
  return {line, *end == ':' ? std::strtoul(end + 1, nullptr, 10) : 0};
}

// Tells mistakes in the order of the file, in which a person mends them.
Result<void> in_order(const Result<void>& mistakes, const std::string& file) {
  if (mistakes) return {};
  std::vector<std::string> sentences;
  for (std::string_view rest = mistakes.error().message; !rest.empty();)
    sentences.emplace_back(take_part(rest, "\n"));
  std::stable_sort(sentences.begin(), sentences.end(), [&](const std::string& one, const std::string& other) {
    return place_in(file, one) < place_in(file, other);
  });
  Mistakes sorted;
  for (const std::string& sentence : sentences) sorted.add("", Error{sentence});
  return sorted.result();
}

bool is_handler(const ConfigMount& mount) {
  return !mount.filter;
}

// Checks and sets what depends on more than one option. A mount of the file that was refused makes filters no
// mistake.
Result<void> finish(Settings& settings, const Environment& environment, const ConfigFile& file) {
  Limits& limits = settings.limits;
  if (limits.target_bytes_max == 0)
    limits.target_bytes_max = std::min(Limits{}.target_bytes_max, limits.head_bytes_max);
  if (settings.plugins.empty()) settings.plugins = default_plugins(environment);
  if (settings.root.empty()) settings.root = home_folder(environment);
  if (settings.root.empty()) settings.root = ".";
  if (settings.listen.empty()) settings.listen.push_back(*parse_listen(kDefaultListen));
  const std::vector<ConfigMount>& written = file.server.mounts;
  if (!settings.has_default_site() && !settings.mounts.empty() &&
      std::none_of(written.begin(), written.end(), is_handler)) {
    return fail(
        fmt::format("the filter {} stands above the first [[site]], where nothing is mounted: write it below a "
                    "[[site]], for each that it is for",
                    settings.mounts.front().prefix));
  }
  if (limits.target_bytes_max <= limits.head_bytes_max) return {};
  return fail(
      fmt::format("target-max is {} bytes and head-max {}: a target is part of a head, so lower target-max "
                  "or raise head-max",
                  limits.target_bytes_max, limits.head_bytes_max));
}

// Reads one option, from command line and environment alone.
Result<Settings> read_one(std::string_view name, const OptionTexts& command_line,
                          const Environment& environment) {
  const ServeOption& option = *find_serve_option(name);
  OptionTexts variable;
  variable.emplace(option.name, read_variable(option, environment));
  ServeRequest request;
  request.settings = default_settings(environment);
  Mistakes mistakes;
  apply_levels(option, {&command_line, &variable}, request, mistakes);
  return mistakes.result().map([&] { return std::move(request.settings); });
}

}  // namespace

Result<ServeRequest> read_serve_request(const OptionTexts& command_line, const Environment& environment) {
  const OptionTexts variables = read_environment(environment);
  ServeRequest request;
  request.settings = default_settings(environment);
  std::vector<const OptionTexts*> levels{&command_line, &variables};
  Mistakes mistakes;
  const ServeOption& config = *find_serve_option("config");
  apply_levels(config, levels, request, mistakes);
  ConfigFile file;
  if (!request.config_file.empty()) {
    auto read = read_config_file(request.config_file);
    if (!read) return Unexpected(in_order(Unexpected(read.error()), request.config_file).error());
    file = std::move(*read);
  }
  const OptionTexts top_level = read_top_level(file, mistakes);
  levels.push_back(&top_level);
  for (const ServeOption& option : serve_options()) {
    if (&option != &config) apply_levels(option, levels, request, mistakes);
  }
  const auto is_given = [&](const char* name) {
    return command_line.contains(name) || variables.contains(name);
  };
  add_sites(file, {is_given("mount"), is_given("filter")}, request, mistakes);
  mistakes.take(finish(request.settings, environment, file));
  return in_order(mistakes.result(), request.config_file).map([&] { return std::move(request); });
}

Result<std::vector<std::string>> read_plugins_folders(const OptionTexts& command_line,
                                                      const Environment& environment) {
  return read_one("plugins", command_line, environment).map([&](const Settings& settings) {
    return settings.plugins.empty() ? default_plugins(environment) : settings.plugins;
  });
}

Result<Settings> read_control_settings(const OptionTexts& command_line, const Environment& environment) {
  return read_one("control", command_line, environment);
}

}  // namespace sluice::cli
