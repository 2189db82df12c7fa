#include "base/code_in_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

namespace sluice {
namespace {

constexpr std::string_view kDescriptors = "/proc/self/fd/";
// The kernel puts these around the name (proc(5)).
constexpr std::string_view kBefore = "/memfd:";
constexpr std::string_view kBehind = " (deleted)";
constexpr std::size_t kNameMax = 249;      // memfd_create(2)
constexpr unsigned kExecutable = 0x0010U;  // MFD_EXEC, since Linux 6.3

// The end of the path, as much of it as a name can hold.
std::string name_of(const std::string& path) {
  return path.substr(path.size() - std::min(path.size(), kNameMax));
}

UniqueFd executable_memory(const std::string& name) {
  UniqueFd memory(::memfd_create(name.c_str(), MFD_CLOEXEC | kExecutable));
  // An older kernel does not have the flag, and always allows code.
  if (!memory && errno == EINVAL) memory.reset(::memfd_create(name.c_str(), MFD_CLOEXEC));
  return memory;
}

}  // namespace

CodeInMemory::CodeInMemory(std::string path) : path_(std::move(path)), fd_(executable_memory(name_of(path_))) {}

CodeInMemory::~CodeInMemory() {
  if (fd_ && is_mapped(path_)) fd_.release();
}

std::string CodeInMemory::name() const {
  return std::string(kDescriptors) + std::to_string(fd_.get());
}

bool memory_allows_code() {
  const UniqueFd memory = executable_memory("sluice");
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (!memory || ::ftruncate(memory.get(), static_cast<off_t>(size)) != 0) return false;
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, memory.get(), 0);
  if (mapped == MAP_FAILED) return false;
  ::munmap(mapped, size);
  return true;
}

bool is_mapped(const std::string& path) {
  const std::string name = name_of(path);
  std::ifstream maps("/proc/self/maps");
  if (!maps) return true;  // without the table it may be mapped
  std::string line;
  while (std::getline(maps, line)) {
    if (line.find(name) != std::string::npos) return true;
  }
  return false;
}

std::size_t path_of_code(const char* name, char* path, std::size_t size) {
  if (std::strncmp(name, kDescriptors.data(), kDescriptors.size()) != 0) return 0;
  char target[kBefore.size() + kNameMax + kBehind.size()];
  const ssize_t got = ::readlink(name, target, sizeof(target));
  std::string_view text(target, got < 0 ? 0 : static_cast<std::size_t>(got));
  if (!text.starts_with(kBefore) || !text.ends_with(kBehind)) return 0;
  text.remove_prefix(kBefore.size());
  text.remove_suffix(kBehind.size());
  return text.copy(path, size);
}

}  // namespace sluice
