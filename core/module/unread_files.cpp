#include "module/unread_files.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>
#include <vector>

#include "base/mapped_file.h"
#include "base/unique_fd.h"
#include "module/elf_file.h"
#include "module/run_path.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// What stands around a path in a sentence.
constexpr std::string_view kAround = " \t\n\"'`,;:()<>";
constexpr const char* kLinkersCache = "/etc/ld.so.cache";
constexpr std::size_t kObjectsMax = 256;

// Those of LD_LIBRARY_PATH, which workers do not have any more, and of the system.
std::vector<std::string> usual_folders() {
  std::vector<std::string> folders;
  void* program = ::dlopen(nullptr, RTLD_LAZY);
  Dl_serinfo wanted{};
  if (program == nullptr || ::dlinfo(program, RTLD_DI_SERINFOSIZE, &wanted) != 0) return folders;
  std::vector<Dl_serinfo> room(wanted.dls_size / sizeof(Dl_serinfo) + 1, wanted);
  if (::dlinfo(program, RTLD_DI_SERINFO, room.data()) != 0) return folders;
  const Dl_serpath* paths = room.front().dls_serpath;
  for (unsigned i = 0; i < room.front().dls_cnt; ++i) folders.emplace_back(paths[i].dls_name);
  return folders;
}

// Finds a library as the dynamic linker does, but also where this process may not read.
class LibrarySearch {
 public:
  explicit LibrarySearch(std::string_view why)
      : missing_(why.substr(0, why.find(':'))), cache_fd_(::open(kLinkersCache, O_RDONLY | O_CLOEXEC)) {}

  // The path of the missing library, if the object or one that it needs looks for it there.
  std::string find(const std::string& object) {
    if (!seen_.insert(object).second || seen_.size() > kObjectsMax) return "";
    const UniqueFd fd(::open(object.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return "";
    const MappedFile mapped(fd.get());
    const ElfFile elf(mapped.bytes());
    if (!elf.is_whole()) return "";
    const std::vector<std::string> folders = folders_of(elf, fs::path(object).parent_path());
    for (const std::string& needed : elf.texts_of(DT_NEEDED)) {
      const std::vector<std::string> places = places_of(needed, folders);
      const auto is_readable = [](const std::string& path) { return ::access(path.c_str(), R_OK) == 0; };
      const auto there = std::find_if(places.begin(), places.end(), is_readable);
      if (there == places.end()) continue;
      if (needed == missing_ && is_confined_from(*there)) return *there;
      if (std::string found = find(*there); !found.empty()) return found;
    }
    return "";
  }

 private:
  std::vector<std::string> folders_of(const ElfFile& elf, const std::string& origin) const {
    std::vector<std::string> folders;
    for (const std::int64_t tag : {DT_RPATH, DT_RUNPATH}) {
      for (const std::string& run_path : elf.texts_of(tag)) {
        for (const std::string& entry : run_path_entries(run_path))
          folders.push_back(with_origin(entry, origin).value_or(entry));
      }
    }
    folders.insert(folders.end(), usual_.begin(), usual_.end());
    return folders;
  }
  std::vector<std::string> places_of(const std::string& needed, const std::vector<std::string>& folders) const {
    if (needed.find('/') != std::string::npos) return {needed};
    std::vector<std::string> places;
    places.reserve(folders.size());
    for (const std::string& folder : folders) places.push_back(fmt::format("{}/{}", folder, needed));
    // The paths in the cache are texts that end with a zero, as all texts there.
    const std::string_view texts = cache_.bytes();
    const std::string end = "/" + needed + '\0';
    for (std::size_t at = 0; (at = texts.find(end, at)) != std::string_view::npos; ++at) {
      const std::size_t begin = texts.rfind('\0', at) + 1;
      places.emplace_back(texts.substr(begin, at + end.size() - 1 - begin));
    }
    return places;
  }

  const std::string missing_;
  const UniqueFd cache_fd_;
  const MappedFile cache_{cache_fd_.get()};
  const std::vector<std::string> usual_ = usual_folders();
  std::set<std::string> seen_;
};

}  // namespace

// Landlock lets a process ask for attributes and rights of files that it may not open.
bool is_confined_from(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::is_regular_file(status) && !fs::is_directory(status)) return false;
  if (::access(path.c_str(), R_OK) != 0) return false;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return !fd && errno == EACCES;
}

std::string unread_library(const std::string& object, std::string_view why) {
  if (why.find("cannot open shared object file") == std::string_view::npos) return "";
  const std::string library = LibrarySearch(why).find(object);
  if (library.empty()) return "";
  std::error_code error;
  const std::string folder = fs::canonical(library, error).parent_path();
  return fmt::format(
      "it needs {}, where workers may not read: add --grant NAME=read:{}, NAME being the module's name, or "
      "install the library in /usr/local/lib",
      library, folder);
}

std::string unread_path(std::string_view sentence, const std::string& module) {
  for (std::size_t at = 0; (at = sentence.find_first_not_of(kAround, at)) != std::string_view::npos;) {
    const std::string_view word = sentence.substr(at, sentence.find_first_of(kAround, at) - at);
    at += word.size();
    std::string path(word);
    if (path.size() < 2 || path.front() != '/') continue;
    if (path.ends_with('.') && !path.ends_with("/.") && !path.ends_with("/.."))
      path.pop_back();  // of the sentence
    std::error_code error;
    const fs::path real = fs::weakly_canonical(path, error);
    if (!error && real != real.root_path() && is_confined_from(path))
      return fmt::format("; workers may not read {}: add --grant {}=read:{}, or write: if it has to be written",
                         path, module, path);
  }
  return "";
}

}  // namespace sluice
