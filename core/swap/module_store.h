// Private copies of the files in the folders of modules, with unique names, and the folder for the copies.
//
// INVARIANT: modules are loaded only from private copies, so overwriting the original changes no mapping.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "module/private_copy.h"
#include "swap/module_folder.h"

namespace sluice {

// One private copy of a module and of the libraries beside it. The destructor removes the files. A process that
// has loaded them keeps its mappings.
class ModuleCopy {
 public:
  // `folder`: of the original file.
  ModuleCopy(std::string path, std::uint32_t generation, const FileStamp& stamp, std::string folder);
  ~ModuleCopy();
  ModuleCopy(const ModuleCopy&) = delete;
  ModuleCopy& operator=(const ModuleCopy&) = delete;

  const std::string& path() const { return path_; }
  std::uint32_t generation() const { return generation_; }  // of the file, from 1 up
  const FileStamp& stamp() const { return stamp_; }         // of the original file
  const std::string& folder() const { return folder_; }     // of the original file

 private:
  std::string path_;
  std::uint32_t generation_;
  FileStamp stamp_;
  std::string folder_;
  pid_t owner_;  // forked processes have a ModuleCopy, too, and must not remove the file
};
using ModuleCopyPtr = std::shared_ptr<const ModuleCopy>;

// A copy without its bytes yet. `fill` waits for disks, so the supervisor leaves it to a child. Owns the
// descriptors of both files until it is filled.
struct EmptyCopy {
  ModuleCopyPtr copy;
  std::string file;  // its name in the folder
  // The values of $ORIGIN in its run path: its folder, and the folder of the file behind symbolic links.
  std::vector<std::string> origins;
  UniqueFd from;
  UniqueFd to;

  tl::expected<void, CopyFailure> fill();
};

// Folders for private copies of modules. This user can write in them; if it is root, everybody may pass through
// them. Folders that the environment names come first, and noexec folders last, because their files have to be
// loaded through memory. The paths have no symbolic links.
std::vector<std::string> folders_for_code();
// The error when there is no such folder, with what to do.
Error no_folder_for_code();

// A private folder for copies of modules. The destructor removes it with everything in it. One thread.
//
// INVARIANT: the folder is locked while the server lives, so neither another server nor a cleaner of temporary
// folders (systemd-tmpfiles(8)) removes it as stale.
class ModuleStore {
 public:
  static Result<std::unique_ptr<ModuleStore>> create();
  ~ModuleStore();
  ModuleStore(const ModuleStore&) = delete;
  ModuleStore& operator=(const ModuleStore&) = delete;

  const std::string& path() const { return path_; }
  // For a forked process, which would keep the folder locked after this server has ended.
  void close_for_child() {
    lock_.reset();
    kept_.clear();
  }
  // Begins a copy of a file of the folder, as its next generation, with a name that was never used before.
  // Refuses a file that other users could have written.
  tl::expected<EmptyCopy, CopyFailure> begin_copy(const std::string& folder, const std::string& file);
  // Begins a copy of a copy. Its new name lets it be loaded afresh where the first one may still be mapped. It
  // is of the same generation.
  Result<EmptyCopy> begin_copy(const ModuleCopy& copy, const std::string& file);
  // Begins and fills a copy of a file of the folder.
  Result<ModuleCopyPtr> copy(const std::string& folder, const std::string& file);
  // Opens the libraries of filled copies, so that restore() can make them again.
  void keep_libraries();
  // Makes the folder and the copies again if somebody has removed them. Their contents are open descriptors.
  Result<void> restore();
  // Whether the folder was made again since the last call.
  bool take_made_again() { return std::exchange(made_again_, false); }

 private:
  struct Kept {
    std::weak_ptr<const ModuleCopy> copy;
    std::string path;  // of the copy, or of one of its libraries
    UniqueFd content;
  };

  ModuleStore(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  struct Original {
    std::uint32_t generation;
    FileStamp stamp;
    std::string folder;
    std::vector<std::string> origins;
  };
  Result<EmptyCopy> begin_copy(UniqueFd from, const std::string& file, Original original);
  Result<void> restore_folder();
  Result<void> restore_file(Kept& kept) const;

  std::string path_;
  UniqueFd lock_;  // flock(2) of the folder
  unsigned copies_ = 0;
  bool made_again_ = false;
  std::vector<Kept> kept_;
  std::unordered_map<std::string, std::uint32_t> generations_;  // by file
};

// Reads everything in the folders that begin_copy reads. A broken disk may never answer, so a child does this
// first, and the supervisor only after the child has come back.
void rehearse_copies(const std::vector<std::string>& folders);

}  // namespace sluice
