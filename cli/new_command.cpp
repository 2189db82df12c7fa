#include "new_command.h"

#include <fmt/core.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <system_error>

#include "embedded_templates.h"
#include "exit_error.h"
#include "server/supervisor.h"

namespace sluice::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNameMax = 64;
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kNewNameBytes = "abcdefghijklmnopqrstuvwxyz0123456789_-";

constexpr NewKind kKinds[] = {
    {"handler", "Write a folder with a new handler, its build and its test"},
    {"filter", "The same with a filter, which stands before handlers"},
    {"api", "The same with a handler of five routes, which keeps its data in SQLite"},
    {"websocket", "The same with a chat by WebSocket, and a page that talks to it"},
};

std::string replace_all(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

// The template's text with the names of the new module and its class in place of handler_name and HandlerName.
std::string for_module(std::string_view text, std::string_view kind, const std::string& name) {
  const std::string placeholder = std::string(kind) + "_name";
  return replace_all(replace_all(std::string(text), class_name(placeholder), class_name(name)), placeholder,
                     name);
}

Result<void> write_file(const fs::path& path, const std::string& text) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return {};
  return fail(fmt::format("'{}' cannot be written: {}; make room, or name another folder with --folder",
                          path.string(), std::strerror(errno)));
}

}  // namespace

std::span<const NewKind> new_kinds() {
  return kKinds;
}

std::string class_name(std::string_view name) {
  std::string result;
  bool begins = true;
  for (const char byte : name) {
    const bool letter = kLetters.find(byte) != std::string_view::npos;
    if (byte != '_' && byte != '-') result += begins && letter ? static_cast<char>(byte - 'a' + 'A') : byte;
    begins = byte == '_' || byte == '-';
  }
  return result;
}

Result<void> check_module_name(std::string_view name) {
  if (!name.empty() && name.size() <= kNameMax && kLetters.find(name.front()) != std::string_view::npos &&
      name.find_first_not_of(kNewNameBytes) == std::string_view::npos) {
    return {};
  }
  return fail(
      fmt::format("'{}' cannot be a module's name: begin with a letter and write up to {} of a to z, 0 to "
                  "9, '_' and '-'",
                  name, kNameMax));
}

Result<void> write_module(std::string_view kind, const std::string& name, const std::string& folder) {
  std::error_code error;
  if (!fs::create_directory(folder, error)) {
    // For a folder that exists, create_directory returns false without an error.
    if (!error) error = std::make_error_code(std::errc::file_exists);
    return fail(fmt::format("the folder '{}' cannot be made: {}; name another one with --folder", folder,
                            error.message()));
  }
  for (const TemplateFile& file : embedded_templates()) {
    if (file.kind != kind) continue;
    const auto written =
        write_file(fs::path(folder) / for_module(file.name, kind, name), for_module(file.text, kind, name));
    if (written) continue;
    fs::remove_all(folder, error);
    return written;
  }
  return {};
}

int run_new(const OptionTexts& command_line, std::ostream& out, std::ostream& err) {
  const std::string kind = command_line.at("kind").front().text;
  const std::string name = command_line.at("name").front().text;
  const auto given = command_line.find("folder");
  const std::string folder = given == command_line.end() ? name : given->second.front().text;
  const auto written = check_module_name(name).and_then([&] { return write_module(kind, name, folder); });
  if (!written) return refuse(err, written.error());
  out << "The " << kind << " '" << name << "' is in '" << folder << "'. Next:\n"
      << "  cd '" << folder << "' && cmake -B build && cmake --build build && ctest --test-dir build\n"
      << "Its README.md says how to go on.\n";
  return kExitFine;
}

}  // namespace sluice::cli
