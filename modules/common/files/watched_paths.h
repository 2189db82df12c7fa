// Paths that are followed folder by folder and watched, so that it is known without a question whether they
// still lead where they led: a folder on the way may be renamed, removed, closed, mounted over, and a symbolic
// link on it may be switched.
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

// One such path. Its owner says `WatchedPaths::forget` before it goes.
class WatchedPath {
 public:
  static constexpr std::uint64_t kNever = 0;
  // Another number each time that it was followed and is watched as a whole, until something happens on it;
  // then, and where it cannot be watched, kNever.
  std::uint64_t standing() const { return standing_; }
  // It was followed, nothing that is told has happened since, but not everything is told.
  bool untold() const { return untold_; }
  // It has to be followed again.
  void doubt() {
    standing_ = kNever;
    untold_ = false;
  }
  // Only asking again tells.
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
  int last_ = ChangeFeed::kNoWatch;  // the watch of the folder where it ends, when its names are wanted
};

class WatchedPaths final : private ChangeFeed::Listener {
 public:
  class Owner {
   public:
    virtual void file_changed(int watch, std::uint32_t mask) = 0;
    // `way` ends in the folder that has the name, or had it.
    virtual void name_changed(WatchedPath& way, std::string_view name) = 0;

   protected:
    ~Owner() = default;
  };

  WatchedPaths(Host& host, Owner& owner) : owner_(owner), feed_(host, *this) {}
  ChangeFeed& feed() { return feed_; }

  enum class Names : std::uint8_t { wanted, unwanted };  // whether the names in the last folder are told of
  struct Followed {
    int error = 0;  // of errno(3); EAGAIN where a disk, a server or a process would have to be asked
    OwnedFd end;    // with O_PATH; empty when the path is
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };
  static constexpr int kTop = -1;
  // Follows the path from a folder, or from the top of the file system. Also a path that ends nowhere stands.
  Followed follow(WatchedPath& way, int from, std::string_view path, Names names);
  void forget(WatchedPath& way);
  // Watches nothing any more; no way stands from now on.
  void close() { feed_.close(); }

 private:
  // What ways have in one folder.
  struct Folder {
    std::set<std::pair<std::string, WatchedPath*>> passing;  // by that name in it
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
