#include "swap/module_report.h"

#include <fmt/core.h>

#include "base/child_process.h"
#include "base/netstring.h"
#include "module/module_file.h"
#include "module/module_source.h"
#include "swap/module_folder.h"
#include "swap/module_store.h"

namespace sluice {
namespace {

constexpr int kInspectMs = 10'000;

// In the child.
std::string describe_module(const std::string& path, const std::string& file) {
  NetstringWriter report;
  const auto module = ModuleFile::load(path, file);
  if (!module) return report.put(module.error().message).take();
  const ModuleInfo& info = (*module)->info();
  report.put("").put(info.name).put(info.version).put(info.summary);
  report.put(info.default_mount == nullptr ? "" : info.default_mount);
  report.put((*module)->filter_maker() != nullptr ? 1 : 0);
  report.put(info.abi_major).put(info.abi_minor).put(info.option_count);
  for (std::uint32_t i = 0; i < info.option_count; ++i) {
    const OptionInfo& option = (*module)->option(i);
    report.put(option.name).put(static_cast<std::uint64_t>(option.type));
    for (const char* text : {option.fallback, option.help, option.choices})
      report.put(text == nullptr ? "" : text);
  }
  return report.take();
}

ModuleReport parse_report(const std::string& text) {
  NetstringReader fields(text);
  ModuleReport report;
  report.error = fields.next();
  if (!report.error.empty()) return report;
  report.name = fields.next();
  report.version = fields.next();
  report.summary = fields.next();
  report.default_mount = fields.next();
  report.is_filter = fields.next_number() != 0;
  report.abi_major = static_cast<unsigned>(fields.next_number());
  report.abi_minor = static_cast<unsigned>(fields.next_number());
  const std::uint64_t options = fields.next_number();
  for (std::uint64_t i = 0; i < options && !fields.at_end(); ++i) {
    OptionReport option;
    option.name = fields.next();
    option.type = static_cast<OptionType>(fields.next_number());
    option.fallback = fields.next();
    option.help = fields.next();
    option.choices = fields.next();
    report.options.push_back(std::move(option));
  }
  return report;
}

}  // namespace

Result<std::vector<ModuleReport>> inspect_modules(const std::vector<std::string>& folders) {
  const auto found = find_modules(folders);
  if (!found) return Unexpected(found.error());
  for (const std::string& folder : folders) {
    const auto allowed = check_modules_folder(folder);
    if (!allowed) return Unexpected(allowed.error());
  }
  const auto store = ModuleStore::create();
  if (!store) return Unexpected(store.error());
  std::vector<ModuleReport> reports;
  for (const FoundModule& module : *found) {
    const std::string& folder = module.folder;
    const std::string& file = module.file;
    ModuleReport report;
    if (const auto copy = (*store)->copy(folder, file); !copy) {
      report.error = copy.error().message;
    } else if (const auto text =
                   run_in_child([&] { return describe_module((*copy)->path(), file); }, kInspectMs)) {
      report = parse_report(*text);
    } else {
      report.error = fmt::format("{} {} while it was loaded", file, text.error().message);
    }
    report.file = file;
    report.folder = folder;
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace sluice
