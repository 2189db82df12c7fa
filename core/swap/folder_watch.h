// Reports the modules of a folder that have changed, once each has been quiet for a while (inotify(7)).
//
// A file that keeps changing, or stays open for writing, is reported after a bounded time. A symbolic link has
// changed if its target has: each link along the way is watched, and the file at its end. Supervisor's thread.
// Waits only for the disks of the folders.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "loop/alarm.h"
#include "loop/registration.h"

namespace sluice {

class FolderWatch final : private Pollable {
 public:
  // Calls `news` whenever has_news becomes true, and sometimes when it is false. `loop` lives longer.
  using News = std::function<void()>;
  static Result<std::unique_ptr<FolderWatch>> open(EventLoop& loop, const std::string& folder,
                                                   std::uint32_t quiet_ms, News news);

  const std::string& folder() const { return folder_; }
  // Reads what the kernel reports. The loop calls it, too.
  void hear(std::uint64_t now_ms);
  // The changed files that are quiet now, each once. The caller has to check whether they still exist.
  std::vector<std::string> take_quiet(std::uint64_t now_ms);
  // When the next changed file will be quiet.
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  std::uint64_t due_ms() const;
  // Whether take_quiet, take_overflow, gone or moved has something to report.
  bool has_news(std::uint64_t now_ms) const { return overflow_ || gone_ || moved_ || due_ms() <= now_ms; }
  // True once after events were lost: every file of the folder may have changed.
  bool take_overflow();
  // Whether the folder itself is gone. Nothing more will be reported then.
  bool gone() const { return gone_; }
  // Whether a link on the way to the folder has changed. The watch has to be opened again then.
  bool moved() const { return moved_; }

 private:
  struct Change {
    std::uint64_t first_ms = 0;
    std::uint64_t last_ms = 0;
    bool being_written = false;
  };

  FolderWatch(EventLoop& loop, UniqueFd inotify, int wd, std::string folder, std::uint32_t quiet_ms, News news)
      : inotify_(std::move(inotify)),
        folder_wd_(wd),
        folder_(std::move(folder)),
        quiet_ms_(quiet_ms),
        news_(loop, std::move(news)) {}
  void on_events(std::uint32_t events) override;
  void follow_links();
  bool is_new_name(const std::string& name) const;
  void hear_one(int wd, std::uint32_t mask, const std::string& name, std::uint64_t now_ms);
  void note(const std::string& name, std::uint32_t mask, std::uint64_t now_ms);
  std::uint64_t due_ms(const Change& change) const;

  // For each name in a watched folder, the module files that depend on it. An empty file name stands for the
  // folder of modules itself.
  using Links = std::map<std::pair<int, std::string>, std::set<std::string>>;

  UniqueFd inotify_;
  Registration heard_;
  int folder_wd_;
  std::string folder_;
  std::uint32_t quiet_ms_;
  Alarm news_;
  Links links_;
  std::map<std::string, Change> changes_;
  bool overflow_ = false;
  bool gone_ = false;
  bool moved_ = false;
  bool told_of_failure_ = false;
};

}  // namespace sluice
