#include "settings/permissions.h"

#include <sluice/abi.h>

#include <fmt/core.h>

#include "base/text.h"
#include "settings/written_text.h"

namespace sluice {
namespace {

struct Word {
  std::uint32_t need;
  std::string_view name;
  bool has_path;
};
constexpr Word kWords[] = {
    {kNeedsNetwork, "network", false}, {kNeedsListening, "listen", false}, {kNeedsUnixSockets, "unix", false},
    {kNeedsPrograms, "exec", false},   {kNeedsNewCode, "code", false},     {kNeedsReading, "read", true},
    {kNeedsWriting, "write", true},
};
constexpr std::string_view kVariable = "env";

constexpr const char* kRemedy =
    "write NAME=WHAT,... with network, listen, unix, exec, code, read:PATH, write:PATH or env:NAME";

Result<void> add_word(Permissions& permissions, std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string value(colon == std::string_view::npos ? "" : text.substr(colon + 1));
  if (name == kVariable && !value.empty() && value.find('=') == std::string::npos) {
    permissions.variables.push_back(value);
    return {};
  }
  for (const Word& word : kWords) {
    if (name != word.name) continue;
    if (!word.has_path && colon == std::string_view::npos) {
      permissions.needs |= word.need;
      return {};
    }
    if (!word.has_path) break;
    if (!value.starts_with('/'))
      return fail(fmt::format("{} needs an absolute path: write {}:/the/path", in_quotes(text), name));
    permissions.needs |= word.need;
    (word.need == kNeedsReading ? permissions.read : permissions.write).push_back(value);
    return {};
  }
  return fail(fmt::format("{} cannot be granted: {}", in_quotes(text), kRemedy));
}

}  // namespace

void Permissions::add(const Permissions& more) {
  needs |= more.needs;
  read.insert(read.end(), more.read.begin(), more.read.end());
  write.insert(write.end(), more.write.begin(), more.write.end());
  variables.insert(variables.end(), more.variables.begin(), more.variables.end());
}

Result<Grant> parse_grant(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos || equals + 1 == text.size())
    return fail(fmt::format("{} grants nothing to a module: {}", in_quotes(text), kRemedy));
  Grant grant{std::string(text.substr(0, equals)), {}};
  std::string_view rest = text.substr(equals + 1);
  while (!rest.empty()) {
    const auto added = add_word(grant.permissions, trimmed(take_part(rest, ",")));
    if (!added) return Unexpected(added.error());
  }
  return grant;
}

Result<Confine> parse_confine(std::string_view text) {
  if (text == "auto") return Confine::automatic;
  if (text == "on") return Confine::on;
  if (text == "off") return Confine::off;
  return fail(in_quotes(text) + " does not say whether to confine workers: write auto, on or off");
}

std::string needs_text(std::uint32_t needs) {
  std::string text;
  for (const Word& word : kWords) {
    if ((needs & word.need) == 0) continue;
    text += fmt::format("{}{}{}", text.empty() ? "" : ",", word.name, word.has_path ? ":PATH" : "");
  }
  return text;
}

std::string permissions_text(const Permissions& permissions) {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ",", name, value.empty() ? "" : ":", value);
  };
  for (const Word& word : kWords) {
    if (!word.has_path && permissions.has(word.need)) add(word.name, "");
  }
  for (const std::string& path : permissions.read) add("read", path);
  for (const std::string& path : permissions.write) add("write", path);
  for (const std::string& name : permissions.variables) add(kVariable, name);
  return text;
}

Permissions granted_to(const std::vector<Grant>& grants, std::string_view module) {
  Permissions permissions;
  for (const Grant& grant : grants) {
    if (grant.module == module) permissions.add(grant.permissions);
  }
  return permissions;
}

}  // namespace sluice
