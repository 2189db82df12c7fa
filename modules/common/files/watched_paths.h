// Paths that are followed folder by folder and watched. Without a system call it is then known whether a path
// still leads where it led. A folder on the way may be renamed, removed, closed to this user or mounted over,
// and a symbolic link may be switched.
//
// Loop thread; waits for no disk.
#pragma once

#include <sluice/handler.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/files/change_feed.h"
#include "common/files/owned_fd.h"

namespace sluice::files {

// One such path. Before it ends, its owner calls `WatchedPaths::forget`.
class WatchedPath {
 public:
  static constexpr std::uint64_t kNever = 0;
  // A number that is new each time the path was followed and is watched as a whole. kNever once something has
  // happened on the way, and when the path cannot be watched.
  std::uint64_t standing() const { return standing_; }
  // The path was followed, and no change was reported since; but not every change on it is reported.
  bool untold() const { return untold_; }
  // The path has to be followed again.
  void doubt() {
    standing_ = kNever;
    untold_ = false;
  }
  // Changes on the way are not reported: only following the path again tells.
  void set_untold() {
    standing_ = kNever;
    untold_ = true;
  }

 private:
  friend class WatchedPaths;
  struct Step {
    int watch;
    std::string name;
  };
  std::uint64_t standing_ = kNever;
  bool untold_ = false;
  std::vector<Step> steps_;
  int last_ = ChangeFeed::kNoWatch;  // the watch of the last folder, if its names are wanted
};

class WatchedPaths final : private ChangeFeed::Listener {
 public:
  class Owner {
   public:
    virtual void file_changed(int watch, std::uint32_t mask) = 0;
    // The folder at the end of `way` got or lost that name.
    virtual void name_changed(WatchedPath& way, std::string_view name) = 0;

   protected:
    ~Owner() = default;
  };

  WatchedPaths(Host& host, Owner& owner) : owner_(owner), feed_(host, *this) {}
  ChangeFeed& feed() { return feed_; }

  enum class Names : std::uint8_t {
    wanted,
    unwanted
  };  // whether changes of names in the last folder are reported
  struct Followed {
    int error = 0;  // of errno(3); EAGAIN if a disk, a server or a process would have to be asked
    OwnedFd end;    // with O_PATH; empty if the path is
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };
  static constexpr int kTop = -1;
  // Follows the path from a folder, or from "/" (kTop). A path that leads nowhere is watched like any other.
  Followed follow(WatchedPath& way, int from, std::string_view path, Names names);
  void forget(WatchedPath& way);
  // Watches nothing from now on, and no path stands.
  void close() { feed_.close(); }

 private:
  // The paths that pass or end in one folder.
  struct Folder {
    std::set<std::pair<std::string, WatchedPath*>> passing;  // with the name by which the path goes on
    std::set<WatchedPath*> ending;
  };
  class Walk;

  void changed(int watch, std::uint32_t mask, std::string_view name) override;
  void everything_changed() override;
  static void doubt_all(Folder& folder);
  bool watch_step(WatchedPath& way, int folder_fd, std::string_view name);
  bool watch_end(WatchedPath& way, int folder_fd);
  int watch_folder(int folder_fd);
  void drop_if_unused(int watch);

  Owner& owner_;
  std::unordered_map<int, Folder> folders_;  // by watch
  std::uint64_t followed_ = 0;
  ChangeFeed feed_;
};

}  // namespace sluice::files
