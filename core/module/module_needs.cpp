#include "module/module_needs.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "base/process_rights.h"
#include "base/unique_fd.h"
#include "module/elf_file.h"

namespace sluice {
namespace {

// Other functions, such as open(3), do too much else to tell.
struct Telling {
  std::string_view function;
  std::uint32_t needs;  // one of these is enough
};
constexpr Telling kTelling[] = {
    {"connect", kNeedsNetwork | kNeedsUnixSockets},
    {"getaddrinfo", kNeedsNetwork},
    {"listen", kNeedsListening | kNeedsUnixSockets},
    {"fork", kNeedsPrograms},
    {"vfork", kNeedsPrograms},
    {"execv", kNeedsPrograms},
    {"execve", kNeedsPrograms},
    {"execvp", kNeedsPrograms},
    {"posix_spawn", kNeedsPrograms},
    {"posix_spawnp", kNeedsPrograms},
    {"popen", kNeedsPrograms},
    {"system", kNeedsPrograms},
    {"unlink", kNeedsWriting},
    {"rename", kNeedsWriting},
    {"mkdir", kNeedsWriting},
};

// Shorter ones are in many files by chance.
constexpr std::size_t kNameMin = 3;

// Whether the text stands there between zeros. memmem(3) takes linear time, std::string_view::find() does not.
bool has_text(std::string_view bytes, std::string_view text) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const void* found = ::memmem(bytes.data() + at, bytes.size() - at, text.data(), text.size());
    if (found == nullptr) return false;
    at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    const std::size_t end = at + text.size();
    if (at > 0 && bytes[at - 1] == '\0' && end < bytes.size() && bytes[end] == '\0') return true;
  }
  return false;
}

// In what is loaded of the file: its other parts name symbols and types, which may be called like variables.
bool loads_text(const ElfFile& elf, std::string_view text) {
  const std::vector<Elf64_Phdr> segments = elf.segments();
  return std::any_of(segments.begin(), segments.end(), [&](const Elf64_Phdr& segment) {
    return segment.p_type == PT_LOAD && has_text(elf.content_of(segment), text);
  });
}

}  // namespace

std::uint32_t needs_of(const ModuleInfo& info) {
  return has_member(info, offsetof(ModuleInfo, needs) + sizeof(info.needs)) ? info.needs : 0;
}

Result<void> check_granted(const Settings& settings, const ModuleInfo& info) {
  if (settings.confine == Confine::off) return {};
  const std::uint32_t missing = needs_of(info) & ~granted_to(settings.grants, info.name).needs;
  if (missing == 0) return {};
  const std::string what = needs_text(missing);
  if (what.empty())
    return fail(fmt::format("module {} needs what this sluice cannot grant: update sluice", info.name));
  return fail(fmt::format("module {} needs more than it is granted: add --grant {}={}, or take the module away",
                          info.name, info.name, what));
}

std::string refused_calls(const Settings& settings, const std::string& path, const std::string& module,
                          std::uint32_t declared) {
  if (settings.confine == Confine::off) return "";
  const std::uint32_t may = declared | granted_to(settings.grants, module).needs;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return "";
  const MappedFile mapped(fd.get());
  std::string functions;
  std::uint32_t needs = 0;
  for (const ElfFile::Symbol& symbol : ElfFile(mapped.bytes()).symbols()) {
    if (symbol.entry.st_shndx != SHN_UNDEF) continue;
    for (const Telling& telling : kTelling) {
      if (symbol.name != telling.function || (telling.needs & may) != 0) continue;
      functions += fmt::format("{}{}()", functions.empty() ? "" : ", ", symbol.name);
      needs |= telling.needs;
    }
  }
  if (functions.empty()) return "";
  return fmt::format("module {} calls {}, which workers refuse with EACCES: add --grant {}={} if it has to",
                     module, functions, module, needs_text(needs));
}

std::string missed_variables(const std::string& path, const std::string& module) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return "";
  const MappedFile mapped(fd.get());
  const ElfFile elf(mapped.bytes());
  const auto symbols = elf.symbols();
  const auto asks = [](const ElfFile::Symbol& symbol) {
    return symbol.entry.st_shndx == SHN_UNDEF && (symbol.name == "getenv" || symbol.name == "secure_getenv");
  };
  if (std::none_of(symbols.begin(), symbols.end(), asks)) return "";
  std::string names;
  std::string grants;
  for (const std::string& name : removed_variables()) {
    if (name.size() < kNameMin || !loads_text(elf, name)) continue;
    names += (names.empty() ? "" : ", ") + name;
    grants += (grants.empty() ? "env:" : ",env:") + name;
  }
  if (names.empty()) return "";
  return fmt::format(
      "module {} has the name of {}, which workers do not have in their environment: add --grant {}={} if it "
      "reads that",
      module, names, module, grants);
}

}  // namespace sluice
