#include "common/files/watched_paths.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "common/files/local_disks.h"
#include "common/files/walk_beneath.h"

namespace sluice::files {
namespace {

constexpr std::size_t kFoldersMax = 16 * 1024;
constexpr int kStepsMax = 128;

// Opens one name in a folder; a link is opened itself. EAGAIN when the answer is not in memory.
OwnedFd open_step(int folder, const std::string& name, int& error) {
  open_how how{};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_CACHED | RESOLVE_NO_MAGICLINKS;
  const long fd = syscall(SYS_openat2, folder, name.c_str(), &how, sizeof(how));
  error = fd >= 0 ? 0 : errno;
  // The kernel is older, or a filter of system calls forbids openat2.
  if (error == EINVAL || error == ENOSYS || error == EPERM) error = EAGAIN;
  return OwnedFd(static_cast<int>(fd));
}

}  // namespace

// A path that is being followed.
class WatchedPaths::Walk {
 public:
  Walk(WatchedPaths& ways, WatchedPath& way, int from, std::string_view path)
      : ways_(ways), way_(way), from_(from), rest_(path) {}

  int run() {
    if (from_ == kTop && !go_to_top()) return error_;
    if (!look(here())) return error_;
    for (int step = 0; next_name();) {
      if (++step > kStepsMax) return ELOOP;
      if (!take_step()) return error_;
    }
    return S_ISDIR(known_.stx_mode) ? 0 : ENOTDIR;
  }
  int here() const { return owned_ ? owned_.get() : from_; }
  bool told() const { return told_; }
  Followed end(int error) {
    return {error, std::move(owned_), gnu_dev_makedev(known_.stx_dev_major, known_.stx_dev_minor),
            known_.stx_ino};
  }

 private:
  bool next_name() {
    const std::size_t begin = rest_.find_first_not_of('/');
    if (begin == std::string::npos) return false;
    const std::size_t end = std::min(rest_.find('/', begin), rest_.size());
    name_ = rest_.substr(begin, end - begin);
    rest_.erase(0, end);
    return true;
  }

  // Watches the folder before it opens the name, so that no change is missed in between.
  bool take_step() {
    if (name_ == ".") return true;
    told_ = told_ && ways_.watch_step(way_, here(), name_);
    OwnedFd next = open_step(here(), name_, error_);
    if (!next || !look(next.get())) return false;
    if (!S_ISLNK(known_.stx_mode)) {
      owned_ = std::move(next);
      return true;
    }
    if (++links_ > kLinksMax) return fail(ELOOP);
    // Reading a link asks its file system, which may wait for a server.
    if (!is_known_to_be_local(next.get())) return fail(EAGAIN);
    char target[PATH_MAX];
    const ssize_t size = readlinkat(next.get(), "", target, sizeof(target));
    if (size < 0) return fail(errno);
    rest_.insert(0, "/").insert(0, target, static_cast<std::size_t>(size));
    return target[0] != '/' ? look(here()) : go_to_top() && look(here());
  }

  bool go_to_top() {
    owned_ = open_step(AT_FDCWD, "/", error_);
    return static_cast<bool>(owned_);
  }

  bool look(int fd) {
    if (!look_unsynced(fd, known_)) return fail(EAGAIN);
    told_ = told_ && ways_.feed_.tells(known_);
    return true;
  }

  bool fail(int error) {
    error_ = error;
    return false;
  }

  WatchedPaths& ways_;
  WatchedPath& way_;
  const int from_;
  std::string rest_;
  std::string name_;
  OwnedFd owned_;  // the folder reached, unless that is `from_`
  struct statx known_ {};
  int error_ = 0;
  int links_ = 0;
  bool told_ = true;
};

WatchedPaths::Followed WatchedPaths::follow(WatchedPath& way, int from, std::string_view path, Names names) {
  forget(way);
  Walk walk(*this, way, from, path);
  const int error = walk.run();
  if (error == EAGAIN) {
    forget(way);
    return {error, OwnedFd()};
  }
  const bool told = walk.told() && (error != 0 || names == Names::unwanted || watch_end(way, walk.here()));
  if (told) {
    way.standing_ = ++followed_;
  } else {
    way.set_untold();
  }
  return walk.end(error);
}

bool WatchedPaths::watch_step(WatchedPath& way, int folder_fd, std::string_view name) {
  const int watch = watch_folder(folder_fd);
  if (watch == ChangeFeed::kNoWatch) return false;
  // The step goes first: each line may run out of memory, and `forget` removes what the steps list.
  way.steps_.push_back({watch, std::string(name)});
  folders_[watch].passing.emplace(name, &way);
  return true;
}

bool WatchedPaths::watch_end(WatchedPath& way, int folder_fd) {
  way.last_ = watch_folder(folder_fd);
  if (way.last_ == ChangeFeed::kNoWatch) return false;
  folders_[way.last_].ending.insert(&way);
  return true;
}

int WatchedPaths::watch_folder(int folder_fd) {
  return folders_.size() < kFoldersMax ? feed_.watch_folder(folder_fd) : ChangeFeed::kNoWatch;
}

void WatchedPaths::forget(WatchedPath& way) {
  way.doubt();
  for (const WatchedPath::Step& step : way.steps_) {
    const auto folder = folders_.find(step.watch);
    if (folder == folders_.end()) continue;
    folder->second.passing.erase({step.name, &way});
    drop_if_unused(step.watch);
  }
  way.steps_.clear();
  const auto last = folders_.find(way.last_);
  way.last_ = ChangeFeed::kNoWatch;
  if (last == folders_.end()) return;
  last->second.ending.erase(&way);
  drop_if_unused(last->first);
}

void WatchedPaths::drop_if_unused(int watch) {
  const auto folder = folders_.find(watch);
  if (!folder->second.passing.empty() || !folder->second.ending.empty()) return;
  folders_.erase(folder);
  feed_.drop(watch);
}

void WatchedPaths::doubt_all(Folder& folder) {
  for (const auto& [name, way] : folder.passing) way->doubt();
  for (WatchedPath* way : folder.ending) way->doubt();
}

void WatchedPaths::changed(int watch, std::uint32_t mask, std::string_view name) {
  const auto found = folders_.find(watch);
  if (found == folders_.end()) return owner_.file_changed(watch, mask);
  Folder& folder = found->second;
  if (name.empty()) return doubt_all(folder);
  // Something of that name has other attributes. Where they matter, it has a watch of its own.
  if ((mask & IN_ATTRIB) != 0) return;
  for (auto at = folder.passing.lower_bound({std::string(name), nullptr});
       at != folder.passing.end() && at->first == name; ++at) {
    at->second->doubt();
  }
  for (WatchedPath* way : folder.ending) owner_.name_changed(*way, name);
}

void WatchedPaths::everything_changed() {
  for (auto& [watch, folder] : folders_) doubt_all(folder);
}

}  // namespace sluice::files
