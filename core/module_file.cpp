#include "module_file.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "log.h"
#include "unique_fd.h"

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

// What an option of version 1.0 has; every later minor gives as much.
constexpr std::size_t kOptionSizeMin = offsetof(OptionInfo, choices) + sizeof(OptionInfo::choices);

std::string abi_text(unsigned major, unsigned minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

// Still mapped after dlclose: a unique symbol, a thread_local destructor or a thread holds it.
bool is_mapped(const std::string& path) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    if (line.find(path) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

Result<void> check_elf(std::string_view head, const std::string& file) {
  Elf64_Ehdr elf{};
  if (head.size() < sizeof(elf)) return fail(file + " is no shared object: it is too short; build it again");
  std::memcpy(&elf, head.data(), sizeof(elf));
  if (std::memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0) {
    return fail(file + " is no shared object: build it with g++ -shared");
  }
  if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_machine != kMachine) {
    return fail(file + " was built for another kind of machine: build it for " + kMachineName);
  }
  if (elf.e_type != ET_DYN) return fail(file + " is no shared object: build it with g++ -shared -fPIC");
  return {};
}

Result<void> check_abi(const ModuleInfo& info, const std::string& file) {
  const std::string ours = abi_text(kAbiMajor, kAbiMinor);
  if (info.size < offsetof(ModuleInfo, create_shared)) {
    return fail(file + " says too little of itself: build it with SLUICE_MODULE of <sluice/module.h>");
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
      info.create == nullptr || (info.option_count > 0 && info.options == nullptr) ||
      (info.option_count > 0 && info.option_stride < kOptionSizeMin)) {
    return fail(file + " leaves out its name, version, summary, options or create: give them to SLUICE_MODULE");
  }
  return {};
}

Result<std::shared_ptr<ModuleFile>> ModuleFile::load(const std::string& path, const std::string& file) {
  {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return fail_errno(file + " cannot be read", errno);
    char head[sizeof(Elf64_Ehdr)];
    const ssize_t got = ::read(fd.get(), head, sizeof(head));
    if (got < 0) return fail_errno(file + " cannot be read", errno);
    const auto elf = check_elf({head, static_cast<std::size_t>(got)}, file);
    if (!elf) return Unexpected(elf.error());
  }
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return fail(file + " cannot be loaded: " + ::dlerror());
  std::shared_ptr<ModuleFile> module(new ModuleFile(path, file, handle));
  module->info_ = static_cast<const ModuleInfo*>(::dlsym(handle, "sluice_module"));
  if (module->info_ == nullptr) {
    return fail(file + " is no module of sluice: it exports no sluice_module; write SLUICE_MODULE at its end");
  }
  const auto abi = check_abi(*module->info_, file);
  if (!abi) return Unexpected(abi.error());
  return module;
}

ModuleFile::~ModuleFile() {
  ::dlclose(handle_);
  if (is_mapped(path_)) {
    log(LogLevel::warning, file_ +
                               " stays in memory after it was unloaded: it has unique symbols (build it with "
                               "-fno-gnu-unique), a thread_local with a destructor, or a thread still running");
  }
}

const OptionInfo& ModuleFile::option(std::uint32_t index) const {
  const auto* first = reinterpret_cast<const char*>(info_->options);
  return *reinterpret_cast<const OptionInfo*>(first + index * info_->option_stride);
}

}  // namespace sluice
