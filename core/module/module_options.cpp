// The options of a handler or filter: as its mount gives them, checked, and as the module asks for them.
#include <fmt/core.h>
#include <algorithm>
#include <optional>

#include "base/confined.h"
#include "module/module_instance.h"
#include "settings/option_value.h"

namespace sluice {
namespace {

// For an unknown option `key` that may be a part of the value of the option `before` it.
std::string comma_hint(const std::string& before, const std::string& key) {
  if (before.empty()) return "";
  return fmt::format("; if {} belongs to the value of {}, write the comma before it as \\,", key, before);
}

// The value that the mount gives the option. One that is given again has several items.
std::optional<std::string> given_value(const OptionInfo& option, const MountPlan& mount) {
  std::optional<std::string> given;
  const char* const between = option.type == OptionType::list ? "\n" : ",";
  for (const auto& [name, value] : mount.options) {
    if (name == option.name) given = given ? *given + between + value : value;
  }
  return given;
}

}  // namespace

Result<void> ModuleInstance::check_options(const ModuleFile& file, const MountPlan& mount) {
  return resolve_options(file, mount).map([](const auto&) {});
}

Result<std::vector<ModuleInstance::OptionValue>> ModuleInstance::resolve_options(const ModuleFile& file,
                                                                                 const MountPlan& mount) {
  if (mount.filter && file.filter_maker() == nullptr) {
    return fail(
        fmt::format("module {} is no filter, but the filter {}{} names it: write --mount in place of --filter",
                    file.info().name, mount.site, mount.prefix));
  }
  if (!mount.filter && !file.is_handler()) {
    return fail(
        fmt::format("module {} is a filter, but the mount {}{} names it: write --filter in place of --mount",
                    file.info().name, mount.site, mount.prefix));
  }
  const std::string who = fmt::format("module {} at {}{}", file.info().name, mount.site, mount.prefix);
  std::vector<OptionValue> options;
  std::string names;
  for (std::uint32_t i = 0; i < file.info().option_count; ++i) {
    const OptionInfo& option = file.option(i);
    names += std::string(names.empty() ? "" : ", ") + option.name;
    const std::optional<std::string> given = given_value(option, mount);
    const std::string text = given ? *given : option.fallback;
    const auto number = given ? check_option(option, text) : check_fallback(option);
    if (!number) return fail(who + ": " + number.error().message);
    options.push_back({option.name, text, *number});
  }
  std::string before;
  for (const auto& [key, value] : mount.options) {
    const std::string& wanted = key;
    if (std::none_of(options.begin(), options.end(),
                     [&](const OptionValue& option) { return option.name == wanted; })) {
      return fail(fmt::format("{} has no option {}: it takes {}{}", who, key,
                              names.empty() ? "only root" : "root, " + names, comma_hint(before, key)));
    }
    before = key;
  }
  return options;
}

const ModuleInstance::OptionValue* ModuleInstance::find_option(std::string_view name) const {
  const auto found = std::find_if(options_.begin(), options_.end(),
                                  [&](const OptionValue& option) { return option.name == name; });
  return found == options_.end() ? nullptr : &*found;
}

Bytes ModuleInstance::option(Bytes name) const {
  if (const OptionValue* found = find_option(name)) return found->text;
  // Not options of mounts: modules use these paths to open their folder again when it was replaced.
  if (std::string_view(name) == "server.root") return plan_.root;
  if (std::string_view(name) == "server.folder") return plan_.folder;
  // Whether only the folders that were there when the worker began can be read.
  if (std::string_view(name) == "server.confined")
    return (services_.stats.confined.get() & confined::kFiles) != 0 ? Bytes("on") : Bytes();
  return {};
}

std::uint64_t ModuleInstance::number(Bytes name) const {
  const OptionValue* found = find_option(name);
  return found == nullptr ? 0 : found->number;
}

}  // namespace sluice
