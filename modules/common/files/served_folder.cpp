#include "common/files/served_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/files/kernel_mounts.h"
#include "common/files/local_disks.h"
#include "common/files/open_beneath.h"

namespace sluice::files {
namespace {

bool is_same_folder(int one, int other) {
  struct statx first {};
  struct statx second {};
  return look_unsynced(one, first) && look_unsynced(other, second) && first.stx_ino == second.stx_ino &&
         first.stx_dev_major == second.stx_dev_major && first.stx_dev_minor == second.stx_dev_minor;
}

ServedFolder::Place open_folder(const std::string& path) {
  OwnedFd folder(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const int error = folder ? 0 : errno;
  return {error, std::move(folder)};
}

}  // namespace

ServedFolder::ServedFolder(Host& host, FileCache& cache, std::uint64_t revalidate_ms)
    : host_(host),
      cache_(cache),
      revalidate_ms_(revalidate_ms),
      confined_(host.option("server.confined").size != 0),
      root_(cache.root(host.folder().fd, host.option("server.root"))),
      path_(std::string_view(host.option("server.folder"))),
      prefix_(std::string_view(host.folder().path)) {}

ServedFolder::~ServedFolder() {
  cache_.ways().forget(way_);
}

bool ServedFolder::is_asked_for(const WatchedPath& way, std::uint64_t asked_ms) const {
  if (way.standing() != WatchedPath::kNever) return false;
  return !way.untold() || host_.now_ms() - asked_ms >= revalidate_ms_;
}

bool ServedFolder::find() {
  const bool root_known = !is_asked_for(root_.way, root_.asked_ms) || find_root();
  return root_known && (path_.empty() || !is_asked_for(way_, asked_ms_) || find_mount());
}

bool ServedFolder::find_root() {
  WatchedPaths::Followed found =
      cache_.ways().follow(root_.way, WatchedPaths::kTop, root_.path, WatchedPaths::Names::unwanted);
  if (found.error == EAGAIN) return false;
  root_.was_cold = false;
  root_.taken = ++root_.begun;
  take_root({found.error, std::move(found.end)});
  return true;
}

bool ServedFolder::find_mount() {
  WatchedPaths::Followed found =
      cache_.ways().follow(way_, WatchedPaths::kTop, path_, WatchedPaths::Names::unwanted);
  if (found.error == EAGAIN) return false;
  was_cold_ = false;
  taken_ = ++begun_;
  take_mount({found.error, std::move(found.end)});
  return true;
}

void ServedFolder::search(Places& places) {
  learn_mounts();
  places.root = open_folder(places.root_path);
  if (!places.path.empty()) places.mount = open_folder(places.path);
}

// What a thread found may have changed meanwhile, so the next request searches again. If that needs a thread
// once more, the way is only checked every `revalidate_ms`. The result is dropped if a later search has a
// result, or if the way is watched by now.
void ServedFolder::take(Places places) {
  if (places.root_search > root_.taken && root_.way.standing() == WatchedPath::kNever) {
    const bool cold_again = root_.was_cold && places.root_search > root_.cold_at;
    root_.taken = places.root_search;
    root_.cold_at = root_.begun;
    root_.was_cold = true;
    take_root(std::move(places.root));
    if (cold_again) root_.way.set_untold();
  }
  if (path_.empty() || places.mount_search <= taken_ || way_.standing() != WatchedPath::kNever) return;
  const bool cold_again = was_cold_ && places.mount_search > cold_at_;
  taken_ = places.mount_search;
  cold_at_ = begun_;
  was_cold_ = true;
  take_mount(std::move(places.mount));
  if (cold_again) way_.set_untold();
}

void ServedFolder::take_root(Place place) {
  root_.asked_ms = host_.now_ms();
  if (place.error != 0) return complain(root_.complained, root_.path, std::strerror(place.error));
  root_.complained = false;
  const bool same = is_same_folder(place.folder.get(), root_.folder->get());
  root_.moved = !same && confined_;
  if (root_.moved) {
    host_.ask("workers", *this);
  } else if (!same) {
    cache_.replace(root_, std::move(place.folder));
  }
}

void ServedFolder::take_mount(Place place) {
  asked_ms_ = host_.now_ms();
  if (place.error != 0) return complain(complained_, path_, std::strerror(place.error));
  if (root_.moved) return;
  const std::string root = real_path(root_.folder->get());
  const std::string mount = real_path(place.folder.get());
  const std::string beneath = root == "/" ? root : root + "/";
  if (mount == root) {
    prefix_.clear();
  } else if (mount.starts_with(beneath)) {
    prefix_ = mount.substr(beneath.size()) + "/";
  } else {
    return complain(complained_, path_, "it leaves the document root " + root_.path);
  }
  complained_ = false;
}

void ServedFolder::complain(bool& complained, const std::string& path, const std::string& why) {
  if (std::exchange(complained, true)) return;
  host_.log(
      LogLevel::warning,
      "the path " + path + " cannot be followed (" + why +
          "): the folder that it led to before is served until the path can be followed again, or until a "
          "reload");
}

}  // namespace sluice::files
