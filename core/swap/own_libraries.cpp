#include "swap/own_libraries.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

#include "base/unique_fd.h"
#include "module/elf_file.h"
#include "module/module_source.h"
#include "module/run_path.h"
#include "swap/elf_edit.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLibrariesMax = 64;
constexpr std::string_view kEnding = ".so";

using Origins = std::vector<std::string>;
using Done = tl::expected<void, CopyFailure>;

auto refuse(Error error, bool of_place = false) {
  return tl::make_unexpected(CopyFailure{std::move(error), of_place});
}

// Repeats each entry with $ORIGIN for each origin. Other entries stay.
std::string with_origins(const std::string& run_path, const Origins& origins) {
  std::string all;
  const auto add = [&all](const std::string& entry) { all += (all.empty() ? "" : ":") + entry; };
  for (const std::string& entry : run_path_entries(run_path)) {
    if (!with_origin(entry, "")) {
      add(entry);
      continue;
    }
    for (const std::string& origin : origins) add(*with_origin(entry, origin));
  }
  return all;
}

std::string read_all(int fd) {
  std::string bytes;
  char piece[64 * 1024];
  for (ssize_t got = 0; (got = ::read(fd, piece, sizeof(piece))) > 0;)
    bytes.append(piece, static_cast<std::size_t>(got));
  return bytes;
}

class Taking {
 public:
  Taking(const std::string& copy, std::string file)
      : folder_(libraries_folder(copy)),
        store_(fs::path(copy).parent_path().string() + "/"),
        file_(std::move(file)) {}

  // Makes the copy need private copies of its libraries, by their paths. A library's copy gets its path as
  // DT_SONAME.
  Done tie(const std::string& copy, const Origins& origins, bool is_library) {
    std::string bytes = read_all(UniqueFd(::open(copy.c_str(), O_RDONLY | O_CLOEXEC)).get());
    const ElfFile elf(bytes);
    if (!elf.is_whole()) return {};  // loading it gives the error
    const std::vector<std::string> run_paths = elf.texts_of(DT_RUNPATH);
    std::map<std::string, std::string> renamed;
    for (const std::string& needed : elf.texts_of(DT_NEEDED)) {
      const auto found = find(needed, run_paths.empty() ? elf.texts_of(DT_RPATH) : run_paths, origins);
      if (!found) continue;
      auto taken = take(*found);
      if (!taken) return tl::make_unexpected(taken.error());
      renamed.emplace(needed, *taken);
    }
    auto edited = edit_dynamic_texts(std::move(bytes), [&](std::int64_t tag, const std::string& text) {
      if (tag == DT_SONAME) return is_library ? std::optional(copy) : std::nullopt;
      if (tag != DT_NEEDED)
        return with_origin(text, "") ? std::optional(with_origins(text, origins)) : std::nullopt;
      const auto other = renamed.find(text);
      return other == renamed.end() ? std::nullopt : std::optional(other->second);
    });
    if (!edited)
      return refuse({fmt::format("{} or a library of its own, {}, {}", file_,
                                 fs::path(copy).filename().string(), edited.error().message)});
    std::ofstream out(copy, std::ios::binary | std::ios::trunc);
    if (!out.write(edited->data(), static_cast<std::streamsize>(edited->size())).flush())
      return refuse(
          {file_ + " cannot be changed to need copies of its libraries: is the folder of private copies full?"},
          true);
    return {};
  }

  // Whether the copy needs libraries beside it, or uses $ORIGIN.
  bool concerns(const std::string& copy) const {
    const std::string bytes = read_all(UniqueFd(::open(copy.c_str(), O_RDONLY | O_CLOEXEC)).get());
    const ElfFile elf(bytes);
    if (!elf.is_whole()) return false;
    std::vector<std::string> texts = elf.texts_of(DT_NEEDED);
    for (const std::int64_t tag : {DT_RUNPATH, DT_RPATH}) {
      for (std::string& text : elf.texts_of(tag)) texts.push_back(std::move(text));
    }
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
      return with_origin(text, "") || text.starts_with(store_);
    });
  }

 private:
  // The path of a library beside the module; nullopt for libraries of the system.
  std::optional<std::string> find(const std::string& needed, const std::vector<std::string>& run_paths,
                                  const Origins& origins) const {
    const auto is_there = [](const std::string& path) {
      std::error_code error;
      return fs::is_regular_file(path, error);
    };
    if (needed.starts_with(store_)) return needed;  // a copy's copy
    for (const std::string& origin : origins) {
      if (const auto path = with_origin(needed, origin); path && is_there(*path)) return path;
      if (needed.find('/') != std::string::npos) continue;
      for (const std::string& run_path : run_paths) {
        for (const std::string& entry : run_path_entries(run_path)) {
          const auto folder = with_origin(entry, origin);
          if (folder && is_there(*folder + "/" + needed)) return *folder + "/" + needed;
        }
      }
    }
    return std::nullopt;
  }

  tl::expected<std::string, CopyFailure> take(const std::string& library) {
    std::error_code error;
    const fs::path real = fs::canonical(library, error);
    if (error)
      return refuse({fmt::format("the library {} of {} cannot be read: {}", library, file_, error.message())});
    if (const auto known = taken_.find(real); known != taken_.end()) return known->second;
    if (taken_.size() >= kLibrariesMax) return refuse({file_ + " has more than 64 libraries of its own"});
    const std::string what = fmt::format("the library {} of {}", real.string(), file_);
    const UniqueFd from(::open(real.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!from || ::fstat(from.get(), &status) != 0)
      return refuse({fmt::format("{} cannot be read: {}", what, std::strerror(errno))});
    const auto allowed = check_source(status, what, is_open_to_all(real.parent_path()));
    if (!allowed) return refuse(allowed.error());
    ::mkdir(folder_.c_str(), 0755);
    ::chmod(folder_.c_str(), 0755);  // in spite of the umask
    const std::string copy =
        folder_ + "/" + std::to_string(taken_.size()) + "-" + fs::path(library).filename().string();
    const UniqueFd to(::open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
    if (!to || ::fchmod(to.get(), 0755) != 0)
      return refuse({fmt::format("{} cannot be copied to a private place: {}", what, std::strerror(errno))},
                    true);
    const auto copied = copy_bytes(from.get(), to.get(), what);
    if (!copied) return tl::make_unexpected(copied.error());
    taken_.emplace(real, copy);  // before tie(), because libraries may need each other
    Origins origins{fs::path(library).parent_path().lexically_normal()};
    if (origins.front() != real.parent_path()) origins.push_back(real.parent_path());
    const auto tied = tie(copy, origins, true);
    if (!tied) return tl::make_unexpected(tied.error());
    return copy;
  }

  std::string folder_;
  std::string store_;
  std::string file_;
  std::map<std::string, std::string> taken_;  // copies by the paths of their originals
};

}  // namespace

std::string libraries_folder(const std::string& copy) {
  return copy.substr(0, copy.size() - (copy.ends_with(kEnding) ? kEnding.size() : 0)) + ".libs";
}

Done take_own_libraries(const std::string& copy, const std::string& file, const Origins& origins) {
  Taking taking(copy, file);
  if (!taking.concerns(copy)) return {};
  return taking.tie(copy, origins, false);
}

}  // namespace sluice
