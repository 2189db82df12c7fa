#include "swap/folder_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/monotonic_clock.h"
#include "swap/module_folder.h"
#include "swap/path_steps.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kFinished = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB;
constexpr std::uint32_t kFolderGone = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;
constexpr std::uint32_t kWanted =
    kFinished | IN_CREATE | IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::size_t kChangesMax = 1024;
// A file that keeps changing is reported after this many times the quiet time.
constexpr std::uint64_t kPatience = 20;

// Each symbolic link along the path, and last the file at its end. Empty if there is no link.
std::vector<PathStep> steps_over_links(const fs::path& path) {
  std::vector<PathStep> steps = steps_along(path);
  if (steps.empty()) return steps;
  const PathStep end = steps.back();
  std::erase_if(steps, [](const PathStep& step) { return !step.is_link; });
  if (!steps.empty()) steps.push_back(end);
  return steps;
}

}  // namespace

Result<std::unique_ptr<FolderWatch>> FolderWatch::open(EventLoop& loop, const std::string& folder,
                                                       std::uint32_t quiet_ms, News news) {
  UniqueFd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const int wd = !inotify ? -1 : ::inotify_add_watch(inotify.get(), folder.c_str(), kWanted);
  if (wd < 0) return fail_errno("cannot watch the folder of modules " + folder, errno);
  std::unique_ptr<FolderWatch> watch(
      new FolderWatch(loop, std::move(inotify), wd, folder, quiet_ms, std::move(news)));
  if (!watch->heard_.begin(loop, watch->inotify_.get(), EPOLLIN, *watch))
    return fail_errno("cannot watch the folder of modules " + folder, errno);
  watch->follow_links();
  return watch;
}

void FolderWatch::follow_links() {
  Links links;
  const auto follow = [&](const fs::path& path, const std::string& file) {
    for (const PathStep& step : steps_over_links(path)) {
      const int wd = ::inotify_add_watch(inotify_.get(), step.folder.c_str(), kWanted);
      if (wd >= 0) {
        links[{wd, step.name}].insert(file);
      } else if (!std::exchange(told_of_failure_, true)) {
        log(LogLevel::warning, fmt::format("cannot watch {}, on the way to {}: {}; send HUP to try again",
                                           step.folder.string(), path.string(), std::strerror(errno)));
      }
    }
  };
  follow(folder_, "");
  if (const auto files = list_modules(folder_)) {
    for (const std::string& file : *files) {
      std::error_code error;
      if (fs::is_symlink(fs::path(folder_) / file, error)) follow(fs::path(folder_) / file, file);
    }
  }
  std::set<int> wanted{folder_wd_};
  for (const auto& [place, files] : links) wanted.insert(place.first);
  for (const auto& [place, files] : links_) {
    if (wanted.insert(place.first).second) ::inotify_rm_watch(inotify_.get(), place.first);
  }
  links_ = std::move(links);
}

void FolderWatch::on_events(std::uint32_t) {
  const std::uint64_t now_ms = monotonic_ms();
  hear(now_ms);
  if (has_news(now_ms)) return news_.soon();
  news_.at(due_ms());
}

void FolderWatch::hear(std::uint64_t now_ms) {
  alignas(inotify_event) char buffer[16 * 1024];
  constexpr int kReadsMax = 16;  // in one turn
  for (int i = 0; i < kReadsMax; ++i) {
    const ssize_t got = ::read(inotify_.get(), buffer, sizeof(buffer));
    if (got <= 0) return;
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      hear_one(event->wd, event->mask, event->len > 0 ? event->name : "", now_ms);
    }
  }
}

// Whether a created name is a link to a file that exists. A new file, in contrast, still has to be written.
bool FolderWatch::is_new_name(const std::string& name) const {
  struct stat status {};
  return ::lstat((folder_ + "/" + name).c_str(), &status) == 0 &&
         (S_ISLNK(status.st_mode) || status.st_nlink > 1);
}

void FolderWatch::hear_one(int wd, std::uint32_t mask, const std::string& name, std::uint64_t now_ms) {
  if ((mask & IN_Q_OVERFLOW) != 0) overflow_ = true;
  if (wd == folder_wd_ && (mask & kFolderGone) != 0) gone_ = true;
  if (wd == folder_wd_ && is_module_file(name) && ((mask & IN_CREATE) == 0 || is_new_name(name)))
    note(name, mask, now_ms);
  // If a folder itself is gone, all links in it have changed.
  const bool all = name.empty() && (mask & kFolderGone) != 0;
  for (auto link = links_.lower_bound({wd, all ? "" : name}); link != links_.end(); ++link) {
    if (link->first.first != wd || (!all && link->first.second != name)) break;
    for (const std::string& file : link->second) note(file, mask, now_ms);
  }
}

void FolderWatch::note(const std::string& name, std::uint32_t mask, std::uint64_t now_ms) {
  auto found = changes_.find(name);
  if (found == changes_.end()) {
    if (changes_.size() >= kChangesMax) {
      overflow_ = true;
      return;
    }
    found = changes_.emplace(name, Change{now_ms, now_ms, false}).first;
  }
  found->second.last_ms = now_ms;
  found->second.being_written = (mask & IN_MODIFY) != 0;
}

std::uint64_t FolderWatch::due_ms(const Change& change) const {
  const std::uint64_t at_the_latest = change.first_ms + kPatience * quiet_ms_;
  return change.being_written ? at_the_latest : std::min(at_the_latest, change.last_ms + quiet_ms_);
}

std::uint64_t FolderWatch::due_ms() const {
  std::uint64_t due = kNever;
  for (const auto& [name, change] : changes_) due = std::min(due, due_ms(change));
  return due;
}

std::vector<std::string> FolderWatch::take_quiet(std::uint64_t now_ms) {
  std::vector<std::string> quiet;
  for (auto entry = changes_.begin(); entry != changes_.end();) {
    if (due_ms(entry->second) > now_ms) {
      ++entry;
    } else {
      if (entry->first.empty()) {
        moved_ = true;
      } else {
        quiet.push_back(entry->first);
      }
      entry = changes_.erase(entry);
    }
  }
  news_.at(due_ms());
  if (!quiet.empty()) follow_links();  // a changed link may lead elsewhere
  return quiet;
}

bool FolderWatch::take_overflow() {
  return std::exchange(overflow_, false);
}

}  // namespace sluice
