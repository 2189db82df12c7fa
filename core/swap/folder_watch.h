// Tells which modules of a folder have changed, as soon as each has been quiet for a while (inotify(7)).
//
// What changes again and again is told of after a bounded time nevertheless, and so is what somebody keeps open
// for writing. A symbolic link has changed when what it leads to has: each link on the way is watched, and the
// file at its end. Supervisor's thread; waits for nothing but the folders' own disks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sluice {

class FolderWatch {
 public:
  static Result<std::unique_ptr<FolderWatch>> open(const std::string& folder, std::uint32_t quiet_ms);

  // Readable when there is something for `hear`.
  int fd() const { return inotify_.get(); }
  void hear(std::uint64_t now_ms);
  // The files that are quiet now, each once. Whether they exist is for the caller to see.
  std::vector<std::string> take_quiet(std::uint64_t now_ms);
  // When the next one will be.
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  std::uint64_t due_ms() const;
  // Whether what follows, or take_quiet, has something to say now.
  bool has_news(std::uint64_t now_ms) const { return overflow_ || gone_ || moved_ || due_ms() <= now_ms; }
  // Once: more has happened than was told, so that every file of the folder may have changed.
  bool take_overflow();
  // The folder itself is no longer there: nothing more will be told.
  bool gone() const { return gone_; }
  // A link on the way to the folder leads elsewhere by now: open it anew.
  bool moved() const { return moved_; }

 private:
  struct Change {
    std::uint64_t first_ms = 0;
    std::uint64_t last_ms = 0;
    bool being_written = false;
  };

  FolderWatch(UniqueFd inotify, int wd, std::string folder, std::uint32_t quiet_ms)
      : inotify_(std::move(inotify)), folder_wd_(wd), folder_(std::move(folder)), quiet_ms_(quiet_ms) {}
  void follow_links();
  bool is_new_name(const std::string& name) const;
  void hear_one(int wd, std::uint32_t mask, const std::string& name, std::uint64_t now_ms);
  void note(const std::string& name, std::uint32_t mask, std::uint64_t now_ms);
  std::uint64_t due_ms(const Change& change) const;

  // A name in a watched folder, and which files of the folder of modules depend on it; an empty one stands for
  // that folder itself.
  using Links = std::map<std::pair<int, std::string>, std::set<std::string>>;

  UniqueFd inotify_;
  int folder_wd_;
  std::string folder_;
  std::uint32_t quiet_ms_;
  Links links_;
  std::map<std::string, Change> changes_;
  bool overflow_ = false;
  bool gone_ = false;
  bool moved_ = false;
  bool told_of_failure_ = false;
};

}  // namespace sluice
