#include "folder_watch.h"

#include <sys/inotify.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "module_store.h"

namespace sluice {
namespace {

constexpr std::uint32_t kFinished = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB;
constexpr std::uint32_t kFolderGone = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;
constexpr std::size_t kChangesMax = 1024;
// What does not come to rest is told of after so many times the quiet time.
constexpr std::uint64_t kPatience = 20;

}  // namespace

Result<std::unique_ptr<FolderWatch>> FolderWatch::open(const std::string& folder, std::uint32_t quiet_ms) {
  UniqueFd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::uint32_t wanted = kFinished | IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  if (!inotify || ::inotify_add_watch(inotify.get(), folder.c_str(), wanted) < 0) {
    return fail_errno("cannot watch the folder of modules " + folder, errno);
  }
  return std::unique_ptr<FolderWatch>(new FolderWatch(std::move(inotify), quiet_ms));
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
      if ((event->mask & IN_Q_OVERFLOW) != 0) overflow_ = true;
      if ((event->mask & kFolderGone) != 0) gone_ = true;
      if (event->len > 0) note(event->name, event->mask, now_ms);
    }
  }
}

void FolderWatch::note(const std::string& name, std::uint32_t mask, std::uint64_t now_ms) {
  if (!is_module_file(name)) return;
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
      quiet.push_back(entry->first);
      entry = changes_.erase(entry);
    }
  }
  return quiet;
}

bool FolderWatch::take_overflow() {
  return std::exchange(overflow_, false);
}

}  // namespace sluice
