#include "serve_request.h"

#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "config_file.h"
#include "install_paths.h"
#include "spelling.h"

namespace sluice::cli {
namespace {

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
    auto values = read_variable(option, environment);
    if (!values.empty()) given.emplace(option.name, std::move(values));
  }
  return given;
}

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

Result<void> check_key(const ConfigLine& line) {
  const ServeOption* option = find_serve_option(line.key);
  if (option != nullptr && option->in_file) {
    if (option->takes == Takes::values || line.values.size() == 1) return {};
    return fail(fmt::format("'{}' takes one value, not {}", line.key, line.values.size()));
  }
  if (option != nullptr) {
    return fail(fmt::format("'{}' cannot stand in a file: write --{} on the command line", line.key, line.key));
  }
  std::vector<std::string_view> known;
  for (const ServeOption& candidate : serve_options()) {
    if (candidate.in_file) known.emplace_back(candidate.name);
  }
  const auto nearest = likely_word(without_prefix(line.key), known);
  if (nearest) return fail(fmt::format("there is no key '{}': did you mean '{}'?", line.key, *nearest));
  return fail(
      fmt::format("there is no key '{}': the keys are the long options of 'sluice serve --help', without "
                  "dashes",
                  line.key));
}

Result<OptionTexts> read_file(const std::string& file) {
  auto lines = read_config_file(file);
  if (!lines) return Unexpected(lines.error());
  OptionTexts given;
  for (ConfigLine& line : *lines) {
    const std::string where = place(file, line.number);
    if (const auto known = check_key(line); !known) return fail(where + ": " + known.error().message);
    std::vector<OptionText>& values = given[line.key];
    if (!values.empty() && find_serve_option(line.key)->takes != Takes::values)
      return fail(fmt::format("{}: '{}' stands here a second time: it takes one value", where, line.key));
    for (std::string& text : line.values) values.push_back({std::move(text), where + ": " + line.key});
  }
  return given;
}

Result<void> apply(const ServeOption& option, const std::vector<OptionText>& values, ServeRequest& request) {
  for (const OptionText& value : values) {
    const auto done = option.set(option, request, value.text);
    if (!done) return fail(value.source + ": " + done.error().message);
  }
  return {};
}

// Applies the values of the first level that has any. Checks those of the levels below.
Result<void> apply_levels(const ServeOption& option, const std::vector<const OptionTexts*>& levels,
                          ServeRequest& request) {
  bool settled = false;
  for (const OptionTexts* level : levels) {
    const auto values = level->find(option.name);
    if (values == level->end() || values->second.empty()) continue;
    ServeRequest unused;
    const auto done = apply(option, values->second, settled ? unused : request);
    if (!done) return done;
    settled = true;
  }
  return {};
}

// systemd puts the folder that it made for a unit into RUNTIME_DIRECTORY.
std::string control_folder(const Environment& environment) {
  const std::string runtime = environment("RUNTIME_DIRECTORY").value_or("");
  if (!runtime.empty()) return runtime.substr(0, runtime.find(':'));
  if (::geteuid() == 0) return "/run/sluice";
  const std::string of_user = environment("XDG_RUNTIME_DIR").value_or("");
  return of_user.empty() ? "/tmp/sluice-" + std::to_string(::geteuid()) : of_user + "/sluice";
}

Settings default_settings(const Environment& environment) {
  Settings settings;
  settings.plugins = installed_plugins(running_program()).value_or(settings.plugins);
  const auto home = environment("SLUICE_HOME");
  if (home && !home->empty()) {
    settings.root = *home;
    settings.plugins = *home + "/" + Settings{}.plugins;
  }
  settings.control = kOwnControl;
  settings.control_folder = control_folder(environment);
  settings.limits.target_bytes_max = 0;  // 0: not given; finish() sets it
  return settings;
}

// Checks and sets what depends on more than one option.
Result<void> finish(Settings& settings) {
  Limits& limits = settings.limits;
  if (limits.target_bytes_max == 0)
    limits.target_bytes_max = std::min(Limits{}.target_bytes_max, limits.head_bytes_max);
  if (limits.target_bytes_max > limits.head_bytes_max) {
    return fail(
        fmt::format("target-max is {} bytes and head-max {}: a target is part of a head, so lower target-max "
                    "or raise head-max",
                    limits.target_bytes_max, limits.head_bytes_max));
  }
  if (!settings.listen.empty()) return {};
  return parse_listen(kDefaultListen).map([&](const ListenAddress& address) {
    settings.listen.push_back(address);
  });
}

// Reads one option, from command line and environment alone.
Result<Settings> read_one(std::string_view name, const OptionTexts& command_line,
                          const Environment& environment) {
  const ServeOption& option = *find_serve_option(name);
  OptionTexts variable;
  variable.emplace(option.name, read_variable(option, environment));
  ServeRequest request;
  request.settings = default_settings(environment);
  const auto done = apply_levels(option, {&command_line, &variable}, request);
  if (!done) return Unexpected(done.error());
  return request.settings;
}

}  // namespace

Result<ServeRequest> read_serve_request(const OptionTexts& command_line, const Environment& environment) {
  const OptionTexts variables = read_environment(environment);
  ServeRequest request;
  request.settings = default_settings(environment);
  std::vector<const OptionTexts*> levels{&command_line, &variables};

  const ServeOption& config = *find_serve_option("config");
  if (const auto done = apply_levels(config, levels, request); !done) return Unexpected(done.error());
  OptionTexts file;
  if (!request.config_file.empty()) {
    auto given = read_file(request.config_file);
    if (!given) return Unexpected(given.error());
    file = std::move(*given);
    levels.push_back(&file);
  }

  for (const ServeOption& option : serve_options()) {
    if (const auto done = apply_levels(option, levels, request); !done) return Unexpected(done.error());
  }
  if (const auto done = finish(request.settings); !done) return Unexpected(done.error());
  return request;
}

Result<std::string> read_plugins_folder(const OptionTexts& command_line, const Environment& environment) {
  return read_one("plugins", command_line, environment).map([](const Settings& settings) {
    return settings.plugins;
  });
}

Result<Settings> read_control_settings(const OptionTexts& command_line, const Environment& environment) {
  return read_one("control", command_line, environment);
}

}  // namespace sluice::cli
