#include "module/module_file.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/mapped_file.h"
#include "base/unique_fd.h"
#include "module/elf_file.h"
#include "module/unloaded_code.h"
#include "telemetry/worker_stats.h"

namespace sluice {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
constexpr const char* kMachineName = "x86-64";
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
constexpr const char* kMachineName = "AArch64";
#else
#error "sluice loads modules on x86-64 and AArch64: name this machine's ELF constant here"
#endif

// The size of an OptionInfo in version 1.0. Later minor versions only append members.
constexpr std::size_t kOptionSizeMin = offsetof(OptionInfo, choices) + sizeof(OptionInfo::choices);

std::string abi_text(unsigned major, unsigned minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

const OptionInfo& option_of(const ModuleInfo& info, std::uint32_t index) {
  const auto* first = reinterpret_cast<const char*>(info.options);
  return *reinterpret_cast<const OptionInfo*>(first + index * info.option_stride);
}

FilterMaker filter_maker_of(const ModuleInfo& info) {
  const bool knows = has_member(info, offsetof(ModuleInfo, create_filter) + sizeof(info.create_filter));
  return knows ? info.create_filter : nullptr;
}

bool is_complete(const OptionInfo& option) {
  return option.name != nullptr && *option.name != '\0' && option.fallback != nullptr && option.help != nullptr;
}

}  // namespace

Result<void> check_elf(std::string_view head, const std::string& file) {
  Elf64_Ehdr elf{};
  if (head.size() < sizeof(elf)) return fail(file + " is not a shared object: it is too short; build it again");
  std::memcpy(&elf, head.data(), sizeof(elf));
  if (std::memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0) {
    return fail(file + " is not a shared object: build it with g++ -shared");
  }
  if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_machine != kMachine) {
    return fail(file + " was built for another kind of machine: build it for " + kMachineName);
  }
  if (elf.e_type != ET_DYN) return fail(file + " is not a shared object: build it with g++ -shared -fPIC");
  return {};
}

Result<void> check_abi(const ModuleInfo& info, const std::string& file) {
  const std::string ours = abi_text(kAbiMajor, kAbiMinor);
  if (info.size < offsetof(ModuleInfo, create_shared)) {
    return fail(file + " has an incomplete ModuleInfo: build it with SLUICE_MODULE of <sluice/module.h>");
  }
  const std::string theirs = abi_text(info.abi_major, info.abi_minor);
  if (info.abi_major != kAbiMajor) {
    return fail(file + " was built for module ABI " + theirs + ", this sluice speaks " + ours +
                ": build it again with this sluice's headers");
  }
  if (info.abi_minor > kAbiMinor) {
    return fail(file + " was built for module ABI " + theirs + ", this sluice speaks " + ours +
                ": update sluice, or build the module with this sluice's headers");
  }
  if (info.layout != layout_stamp()) {
    return fail(file +
                " lays out the interface's structs in another way: build it with this sluice's headers, "
                "for this machine and without packing options");
  }
  if (info.name == nullptr || *info.name == '\0' || info.version == nullptr || info.summary == nullptr ||
      (info.create == nullptr && filter_maker_of(info) == nullptr) ||
      (info.option_count > 0 && info.options == nullptr) ||
      (info.option_count > 0 && info.option_stride < kOptionSizeMin)) {
    return fail(file + " leaves out its name, version, summary, options or create: give them to SLUICE_MODULE");
  }
  if (info.create != nullptr && filter_maker_of(info) != nullptr)
    return fail(file + " is a handler and a filter at once: make two modules of it");
  if (std::strlen(info.name) > Label::kSizeMax) {
    return fail(file + " has a name of more than " + std::to_string(Label::kSizeMax) +
                " bytes: give SLUICE_MODULE a shorter one");
  }
  for (std::uint32_t i = 0; i < info.option_count; ++i) {
    if (!is_complete(option_of(info, i))) {
      return fail(file + " leaves out the name, fallback or help of its option number " +
                  std::to_string(i + 1) + ": write them, \"\" for an empty text");
    }
  }
  return {};
}

Result<std::shared_ptr<ModuleFile>> ModuleFile::load(const std::string& path, const std::string& file,
                                                     std::uint32_t generation, std::string folder) {
  const char* pin = nullptr;
  {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return fail_errno(file + " cannot be read", errno);
    char head[sizeof(Elf64_Ehdr)];
    const ssize_t got = ::read(fd.get(), head, sizeof(head));
    if (got < 0) return fail_errno(file + " cannot be read", errno);
    const auto elf = check_elf({head, static_cast<std::size_t>(got)}, file);
    if (!elf) return Unexpected(elf.error());
    const MappedFile mapped(fd.get());
    const ElfFile tables(mapped.bytes());
    if (!tables.is_whole()) return fail(file + " is cut off: copy or build it again");
    pin = tables.pin();
  }
  auto code = map_code(path, file);
  if (!code) return Unexpected(code.error());
  std::shared_ptr<ModuleFile> module(new ModuleFile(path, file, generation, std::move(*code)));
  module->pinned_by_ = pin;
  module->folder_ = std::move(folder);
  module->info_ = static_cast<const ModuleInfo*>(::dlsym(module->code_.handle, "sluice_module"));
  if (module->info_ == nullptr) {
    return fail(file +
                " is not a module of sluice: it exports no sluice_module; write SLUICE_MODULE at its end");
  }
  const auto abi = check_abi(*module->info_, file);
  if (!abi) return Unexpected(abi.error());
  return module;
}

// A part of the sentence of dlerror(3), which map_code takes in English.
bool needs_fresh_process(const std::string& why) {
  return why.find("static TLS block") != std::string::npos;
}

ModuleFile::~ModuleFile() {
  if (!kept_) {
    ::dlclose(code_.handle);
    forget_unloaded_code();
  }
  if (kept_ ? pinned_by_ == nullptr : !is_mapped(path_)) return;
  const char* why = pinned_by_ != nullptr ? pinned_by_ : "another library needs it";
  log(LogLevel::warning, file_ + " stays in memory after it was unloaded: " + why);
}

FilterMaker ModuleFile::filter_maker() const {
  return filter_maker_of(*info_);
}

const OptionInfo& ModuleFile::option(std::uint32_t index) const {
  return option_of(*info_, index);
}

}  // namespace sluice
