#include "module/mapped_code.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <memory>
#include <set>
#include <utility>

#include "base/mapped_file.h"
#include "module/elf_file.h"
#include "module/private_copy.h"
#include "module/unread_files.h"

namespace sluice {
namespace {

// dlerror(3) translates its sentence into the language of the thread's locale, which a module may have set.
// needs_fresh_process looks for English words.
std::string dl_error() {
  static const locale_t english = ::newlocale(LC_ALL_MASK, "C", nullptr);
  const locale_t before = ::uselocale(english);
  const char* why = ::dlerror();
  ::uselocale(before);
  return why;
}

struct Unload {
  void operator()(void* handle) const { ::dlclose(handle); }
};
using Handle = std::unique_ptr<void, Unload>;

class Mapping {
 public:
  explicit Mapping(std::string file) : file_(std::move(file)) {}

  Result<MappedCode> map(const std::string& path) {
    auto handle = is_noexec(path) ? map_in_memory(path) : open(path, path);
    if (!handle) return Unexpected(handle.error());
    libraries_.clear();  // the object holds them from now on
    return MappedCode{handle->release(), std::move(memory_)};
  }

 private:
  Result<Handle> open(const std::string& name, const std::string& path) const {
    Handle handle(::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (handle) return handle;
    std::string why = dl_error();
    if (why.starts_with(name + ":")) why.replace(0, name.size(), path);
    const std::string unread = unread_library(path, why);
    return fail(file_ + " cannot be loaded: " + (unread.empty() ? why : unread));
  }

  Result<Handle> map_in_memory(const std::string& path) {
    const UniqueFd from(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from) return fail_errno(file_ + " cannot be read", errno);
    CodeInMemory code(path);
    if (code.fd() < 0) return fail_errno(file_ + " cannot be loaded through memory", errno);
    const auto copied = copy_bytes(from.get(), code.fd(), file_);
    if (!copied) return Unexpected(copied.error().error);
    const auto libraries = map_libraries(code.fd());
    if (!libraries) return Unexpected(libraries.error());
    memory_.push_back(std::move(code));
    return open(memory_.back().name(), path);
  }

  // Libraries are mapped before the object that needs them. The dynamic linker finds a library that is loaded
  // by its DT_SONAME, which for a library that was copied with its module is the path by which it is needed.
  Result<void> map_libraries(int object) {
    const MappedFile mapped(object);
    for (const std::string& needed : ElfFile(mapped.bytes()).texts_of(DT_NEEDED)) {
      if (!needed.starts_with('/') || !is_noexec(needed) || !seen_.insert(needed).second) continue;
      auto library = map_in_memory(needed);
      if (!library) return Unexpected(library.error());
      libraries_.push_back(std::move(*library));
    }
    return {};
  }

  std::string file_;
  std::set<std::string> seen_;
  std::vector<CodeInMemory> memory_;  // destroyed after the libraries
  std::vector<Handle> libraries_;
};

}  // namespace

bool is_noexec(const std::string& path) {
  struct statvfs system {};
  return ::statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_NOEXEC) != 0;
}

Result<MappedCode> map_code(const std::string& path, const std::string& file) {
  return Mapping(file).map(path);
}

}  // namespace sluice
