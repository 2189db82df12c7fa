// Reads settings as `sluice serve` does, from arguments and a made-up environment.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "command_line.h"
#include "scratch.h"
#include "serve_request.h"

namespace sluice::cli {

using Arguments = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

inline Result<ServeRequest> read(Arguments arguments, Variables variables = {}) {
  arguments.insert(arguments.begin(), "serve");
  const CommandLine line = parse_command_line(arguments);
  INFO(line.standard_error);
  REQUIRE(line.command == CommandLine::Command::serve);
  return read_serve_request(line.given, environment_of(std::move(variables)));
}

inline Settings settings(Arguments arguments, Variables variables = {}) {
  const auto request = read(std::move(arguments), std::move(variables));
  INFO((request ? "" : request.error().message));
  REQUIRE(request.has_value());
  return request->settings;
}

inline std::string refusal(Arguments arguments, Variables variables = {}) {
  const auto request = read(std::move(arguments), std::move(variables));
  REQUIRE_FALSE(request.has_value());
  CHECK(request.error().message.find('\n') == std::string::npos);
  return request.error().message;
}

inline Arguments mount_texts(const Settings& settings) {
  Arguments texts;
  for (const MountSpec& mount : settings.mounts) texts.push_back(mount.prefix + "=" + mount.module);
  return texts;
}

}  // namespace sluice::cli
