#include "module/module_needs.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <string_view>

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
  const auto symbols = ElfFile(mapped.bytes()).symbols();
  const auto asks = [](const ElfFile::Symbol& symbol) {
    return symbol.entry.st_shndx == SHN_UNDEF && (symbol.name == "getenv" || symbol.name == "secure_getenv");
  };
  if (std::none_of(symbols.begin(), symbols.end(), asks)) return "";
  std::string names;
  std::string grants;
  for (const std::string& name : removed_variables()) {
    const std::string text = '\0' + name + '\0';
    if (name.size() < kNameMin || mapped.bytes().find(text) == std::string_view::npos) continue;
    names += (names.empty() ? "" : ", ") + name;
    grants += (grants.empty() ? "env:" : ",env:") + name;
  }
  if (names.empty()) return "";
  return fmt::format("module {} asks for {}, which workers do not have in their environment: add --grant {}={}",
                     module, names, module, grants);
}

}  // namespace sluice
