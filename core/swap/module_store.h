// The folder of modules as the supervisor sees it: which files there are, private copies of them under unique
// names, and what each says of itself, found out in a short-lived child so that no module code runs here.
//
// INVARIANT: a file is only ever loaded from its private copy, so overwriting the original changes no mapping.
#pragma once

#include <sluice/abi.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "module/module_source.h"
#include "module/private_copy.h"

namespace sluice {

struct OptionReport {
  std::string name;
  OptionType type = OptionType::text;
  std::string fallback;
  std::string help;
  std::string choices;
};

// What is known of one file of the folder. With an `error` it cannot be loaded, and only `file` is certain.
struct ModuleReport {
  std::string file;  // its name in the folder: "hello.so"
  std::string error;
  std::string name;
  std::string version;
  std::string summary;
  std::string default_mount;  // empty for none
  unsigned abi_major = 0;
  unsigned abi_minor = 0;
  std::vector<OptionReport> options;
};

// Tells a file's content from its earlier and later ones: every change of the file changes it (inode(7)).
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  bool operator==(const FileStamp&) const = default;
};

// One private copy, removed with this, and those of the libraries that lie with the module. A process that has
// loaded them keeps its mappings.
class ModuleCopy {
 public:
  ModuleCopy(std::string path, std::uint32_t generation, const FileStamp& stamp);
  ~ModuleCopy();
  ModuleCopy(const ModuleCopy&) = delete;
  ModuleCopy& operator=(const ModuleCopy&) = delete;

  const std::string& path() const { return path_; }
  std::uint32_t generation() const { return generation_; }  // of the file, from 1 up
  const FileStamp& stamp() const { return stamp_; }         // of what was copied

 private:
  std::string path_;
  std::uint32_t generation_;
  FileStamp stamp_;
  pid_t owner_;  // forked processes have a ModuleCopy, too, and must not remove the file
};
using ModuleCopyPtr = std::shared_ptr<const ModuleCopy>;

// A copy whose bytes are still to come: `fill` waits for disks, so whoever has others to serve leaves it to a
// child. Owns both files as long as it is not filled.
struct EmptyCopy {
  ModuleCopyPtr copy;
  std::string file;  // its name in the folder
  // Where it lies, and where it lies behind symbolic links: what its run path calls $ORIGIN.
  std::vector<std::string> origins;
  UniqueFd from;
  UniqueFd to;

  tl::expected<void, CopyFailure> fill();
};

// Folders in which private copies of modules may lie: they can be written, and for root everybody may pass
// through them. What was asked for comes first, but noexec ones come last, whose files are loaded through
// memory. Without symbolic links.
std::vector<std::string> folders_for_code();
// That there is none, and what to do.
Error no_folder_for_code();

// A private folder for copies of modules, removed with everything in it at the end. One thread.
//
// INVARIANT: the folder is locked as long as the server lives, so that neither another server nor what tidies
// up temporary folders takes it for a left one.
class ModuleStore {
 public:
  static Result<std::unique_ptr<ModuleStore>> create();
  ~ModuleStore();
  ModuleStore(const ModuleStore&) = delete;
  ModuleStore& operator=(const ModuleStore&) = delete;

  const std::string& path() const { return path_; }
  // In a forked process: the lock would outlive this server, and the copies are its own affair.
  void close_for_child() {
    lock_.reset();
    kept_.clear();
  }
  // Of a file of the folder under a name never used before, as its next generation. Refuses one that strangers
  // could have written.
  tl::expected<EmptyCopy, CopyFailure> begin_copy(const std::string& folder, const std::string& file);
  // Of a copy, so that it can be loaded anew where it may still be mapped. It stays the generation it was.
  Result<EmptyCopy> begin_copy(const ModuleCopy& copy, const std::string& file);
  // The first one, filled at once.
  Result<ModuleCopyPtr> copy(const std::string& folder, const std::string& file);
  // When copies have been filled, by whomever: the libraries that came with them are kept from now on, too.
  void keep_libraries();
  // Makes the folder and the copies in it anew, where somebody has removed them: their content is kept open.
  Result<void> restore();

 private:
  struct Kept {
    std::weak_ptr<const ModuleCopy> copy;
    std::string path;  // its own, or that of a library of its
    UniqueFd content;
  };

  ModuleStore(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  Result<EmptyCopy> begin_copy(UniqueFd from, const std::string& file, std::uint32_t generation,
                               const FileStamp& stamp, std::vector<std::string> origins);
  Result<void> restore_folder();
  Result<void> restore_file(Kept& kept) const;

  std::string path_;
  UniqueFd lock_;  // flock(2) of the folder
  unsigned copies_ = 0;
  std::vector<Kept> kept_;
  std::unordered_map<std::string, std::uint32_t> generations_;  // by file
};

// The "*.so" of the folder, sorted.
Result<std::vector<std::string>> list_modules(const std::string& folder);
// Asks for all of the folder that making copies will ask for. A disk may let that wait without end: a child
// asks first, and whoever has others to serve only when it has come back.
void rehearse_copies(const std::string& folder);
// A name that list_modules would list.
bool is_module_file(std::string_view name);
// Nothing where there is no such file.
std::optional<FileStamp> stamp_of(const std::string& path);
// Describes every "*.so" of the folder, sorted by name, by the rules that a server has for them. Forks one
// child a file; blocks until they are done.
Result<std::vector<ModuleReport>> inspect_modules(const std::string& folder);

}  // namespace sluice
