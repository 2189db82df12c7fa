#include "process/symbols.h"

#include <cxxabi.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>

namespace sluice {
namespace {

// Debugging information outside the file is not looked for, least of all in the network.
int find_no_debug_file(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*, GElf_Word,
                       char**) {
  return -1;
}

// The file of one object, opened to look up names.
class ObjectFile {
 public:
  // With an empty path, nothing is known.
  explicit ObjectFile(const std::string& path) : dwfl_(::dwfl_begin(&kCallbacks), &::dwfl_end) {
    if (dwfl_ == nullptr || path.empty()) return;
    module_ = ::dwfl_report_offline(dwfl_.get(), path.c_str(), path.c_str(), -1);
    ::dwfl_report_end(dwfl_.get(), nullptr, nullptr);
    if (module_ != nullptr && ::dwfl_module_getelf(module_, &bias_) == nullptr) module_ = nullptr;
  }

  // Empty when the function is not known.
  std::string function(std::uint64_t offset) const {
    GElf_Off into = 0;
    GElf_Sym symbol{};
    const char* name = module_ == nullptr ? nullptr
                                          : ::dwfl_module_addrinfo(module_, offset + bias_, &into, &symbol,
                                                                   nullptr, nullptr, nullptr);
    // An address behind the end of the nearest symbol belongs to a function whose name was stripped.
    if (name == nullptr || into >= symbol.st_size) return {};
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> readable(
        abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
    return readable == nullptr ? name : readable.get();
  }
  std::string line(std::uint64_t offset) const {
    int number = 0;
    Dwarf_Line* line = line_at(offset + bias_);
    const char* file = line == nullptr ? nullptr : ::dwarf_linesrc(line, nullptr, nullptr);
    if (file == nullptr || ::dwarf_lineno(line, &number) != 0) return {};
    return std::filesystem::path(file).filename().string() + ":" + std::to_string(number);
  }

 private:
  // Asks every unit for its addresses. clang writes no table of addresses, which dwfl_module_getsrc relies
  // on.
  Dwarf_Line* line_at(Dwarf_Addr address) const {
    Dwarf_Addr bias = 0;
    for (Dwarf_Die* unit = nullptr;
         module_ != nullptr && (unit = ::dwfl_module_nextcu(module_, unit, &bias)) != nullptr;) {
      if (::dwarf_haspc(unit, address - bias) == 1) return ::dwarf_getsrc_die(unit, address - bias);
    }
    return nullptr;
  }

  static constexpr Dwfl_Callbacks kCallbacks{nullptr, find_no_debug_file, ::dwfl_offline_section_address,
                                             nullptr};

  std::unique_ptr<Dwfl, decltype(&::dwfl_end)> dwfl_;
  Dwfl_Module* module_ = nullptr;
  GElf_Addr bias_ = 0;
};

constexpr const char* kProgram = "/proc/self/exe";

std::string program_path() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink(kProgram, path, sizeof(path));
  return size <= 0 ? std::string() : std::string(path, static_cast<std::size_t>(size));
}

// Empty for files that must not be opened.
std::string readable_path(const std::string& object, const std::string& copies) {
  if (object.empty()) return kProgram;  // works also if this user may not reach the program's path
  const std::filesystem::path path(object);
  std::error_code error;
  if (path.lexically_normal() != path || !std::filesystem::is_regular_file(path, error)) return {};
  if (object.starts_with(copies + "/")) return object;
  for (const char* libraries : {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/local/lib/"}) {
    if (object.rfind(libraries, 0) == 0) return object;
  }
  return {};
}

}  // namespace

std::vector<std::string> describe_frames(const std::vector<Snapshot::Frame>& frames,
                                         const std::string& copies) {
  std::vector<std::string> lines;
  std::map<std::string, ObjectFile> objects;
  for (const Snapshot::Frame& frame : frames) {
    const std::string path(frame.object);
    const ObjectFile& object = objects.try_emplace(path, readable_path(path, copies)).first->second;
    const std::string function = object.function(frame.offset);
    const std::string place = object.line(frame.offset);
    char raw[32];
    std::snprintf(raw, sizeof(raw), "0x%llx", static_cast<unsigned long long>(frame.offset));
    std::string line = "#" + std::to_string(lines.size()) + " " + (function.empty() ? raw : function);
    if (!place.empty()) line += " at " + place;
    lines.push_back(line + " in " +
                    std::filesystem::path(path.empty() ? program_path() : path).filename().string());
  }
  return lines;
}

}  // namespace sluice
