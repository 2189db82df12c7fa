// Private copies of the files in the folder of modules, under unique names, and the folder that they lie in.
//
// INVARIANT: a file is only ever loaded from its private copy, so overwriting the original changes no mapping.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "module/private_copy.h"
#include "swap/module_folder.h"

namespace sluice {

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

// Asks for all of the folder that making copies will ask for. A disk may let that wait without end: a child
// asks first, and whoever has others to serve only when it has come back.
void rehearse_copies(const std::string& folder);

}  // namespace sluice
