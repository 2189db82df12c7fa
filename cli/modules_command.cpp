#include "modules_command.h"

#include <fmt/core.h>
#include <algorithm>
#include <ostream>

#include "exit_error.h"
#include "serve_request.h"
#include "server/supervisor.h"
#include "settings/option_value.h"
#include "swap/module_folder.h"
#include "text_layout.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kCellMax = 26;  // a wider cell widens only its own row
constexpr std::size_t kOptionIndent = 4;

// The cells of a line. The last one may be broken into several lines.
using Row = std::vector<std::string>;

// REQUIRES: all rows have the same number of cells.
std::vector<std::size_t> column_widths(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.empty() ? 0 : rows.front().size() - 1);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], std::min(row[i].size(), kCellMax));
  }
  return widths;
}

std::string format_row(const Row& row, const std::vector<std::size_t>& widths, std::size_t indent) {
  std::string head(indent, ' ');
  std::size_t column = indent;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    column += widths[i] + 2;
    head += row[i];
    head.append(head.size() < column ? column - head.size() : 2, ' ');
  }
  head.erase(head.find_last_not_of(' ') + 1);
  return hanging(std::move(head), column, row.back());
}

std::string type_name(const OptionReport& option) {
  switch (option.type) {
    case OptionType::text:
      return "text";
    case OptionType::number:
      return "number";
    case OptionType::size:
      return "size";
    case OptionType::duration_ms:
      return "time";
    case OptionType::flag:
      return "on|off";
    case OptionType::choice:
      return option.choices;
    case OptionType::list:
      return "list";
  }
  return "text";
}

Row module_row(const ModuleReport& module) {
  return {module.name, module.version,
          std::to_string(module.abi_major) + "." + std::to_string(module.abi_minor),
          module.is_filter               ? "a filter"
          : module.default_mount.empty() ? "-"
                                         : module.default_mount,
          printable(module.summary)};
}

std::string format_options(const std::vector<OptionReport>& options) {
  std::vector<Row> rows;
  for (const OptionReport& option : options) {
    std::string fallback = readable_fallback(option.type, option.fallback);
    std::replace(fallback.begin(), fallback.end(), '\n', ',');  // of a list
    rows.push_back({option.name + "=" + printable(fallback), type_name(option), printable(option.help)});
  }
  const auto widths = column_widths(rows);
  std::string out;
  for (const Row& row : rows) out += format_row(row, widths, kOptionIndent);
  return out;
}

}  // namespace

std::string format_modules(const std::vector<ModuleReport>& modules, bool several_folders) {
  std::vector<Row> rows{{"NAME", "VERSION", "ABI", "MOUNT", "SUMMARY"}};
  std::vector<const ModuleReport*> loaded;
  std::string broken;
  for (const ModuleReport& module : modules) {
    if (module.error.empty()) {
      rows.push_back(module_row(module));
      loaded.push_back(&module);
    } else {
      broken += hanging(printable(module.file) + " cannot be loaded:", kOptionIndent, printable(module.error));
    }
  }
  if (loaded.empty()) return broken;
  const auto widths = column_widths(rows);
  const auto origin = [&](const ModuleReport& module) {
    return several_folders ? fmt::format("{:{}}from {}\n", "", kOptionIndent, printable(module.folder)) : "";
  };
  std::string out = format_row(rows.front(), widths, 0);
  for (std::size_t i = 0; i < loaded.size(); ++i)
    out += format_row(rows[i + 1], widths, 0) + origin(*loaded[i]) + format_options(loaded[i]->options);
  return broken.empty() ? out : out + "\n" + broken;
}

int run_modules(const OptionTexts& command_line, const Environment& environment, std::ostream& out,
                std::ostream& err) {
  const auto folders = read_plugins_folders(command_line, environment);
  const auto modules = folders.and_then(inspect_modules);
  if (!modules) return refuse(err, modules.error());
  if (modules->empty()) {
    out << "there are no modules in '" << folders_text(*folders) << "'\n";
    return kExitFine;
  }
  out << format_modules(*modules, folders->size() > 1);
  return kExitFine;
}

}  // namespace sluice::cli
