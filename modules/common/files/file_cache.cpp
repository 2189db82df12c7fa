#include "common/files/file_cache.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "common/files/destroy_on_thread.h"

namespace sluice::files {
namespace {

// The cache takes up to half of the descriptors. Connections need them more, so it removes entries when three
// quarters are taken. A new descriptor's number tells, because the kernel gives out the lowest free one.
constexpr std::uint64_t kDescriptorShare = 2;
// The first request for a file waits while all of it is read, which takes a disk a second or more at this size.
constexpr std::uint64_t kHashedMax = 256 << 20;
// Entries that one search passes over. It is bounded; a popular entry that it removes comes back with the
// next request.
constexpr int kSparedMax = 16;
// Entries that are removed at once: well below a millisecond on the loop.
constexpr std::size_t kGivenUpMax = 256;
// A process that has opened a file may write through a mapping, which is never reported.
constexpr std::uint64_t kOpenedMs = 10'000;
// A path that cannot be watched is tried again after that time.
constexpr std::uint64_t kUnwatchedMs = 1000;
// Files that changed without a report are remembered, because they may do so again.
constexpr std::size_t kUntoldMax = 1024;
constexpr std::uint64_t kNow = ~std::uint64_t{0};

}  // namespace

// Closes the descriptors of some entries. When it ends, the loop starts the next one; until then it holds the
// module.
class FileCache::Retiring final : public Work {
 public:
  Retiring(FileCache& cache, std::vector<OwnedFd> fds) : cache_(cache), fds_(std::move(fds)) {}
  void run() override { fds_.clear(); }
  // Descriptors that had to wait for too long can wait again.
  void done(bool) override {
    if (fds_.empty()) {
      cache_.give_up_rest();
    } else {
      cache_.close_on_thread(std::move(fds_));
    }
  }

 private:
  FileCache& cache_;
  std::vector<OwnedFd> fds_;
};

FileCache::WatchedFolder::~WatchedFolder() {
  cache.ways_.forget(*this);
  cache.folders_.erase({&root, path});
}

Root& FileCache::root(int folder_fd, std::string_view path) {
  FileFacts wanted;
  if (path.empty()) read_identity(folder_fd, wanted);
  for (const auto& known : roots_) {
    if (known->path != path) continue;
    FileFacts folder;
    if (path.empty()) read_identity(known->folder->get(), folder);
    if (folder.same_file(wanted)) return *known;
  }
  roots_.push_back(std::make_unique<Root>());
  Root& root = *roots_.back();
  root.path = path;
  root.folder = std::make_shared<OwnedFd>(fcntl(folder_fd, F_DUPFD_CLOEXEC, 0));
  if (!*root.folder) throw std::runtime_error("no descriptor is left for its folder");
  return root;
}

void FileCache::replace(Root& root, OwnedFd folder) {
  root.folder = std::make_shared<OwnedFd>(std::move(folder));
  ++root.replaced;
  for (const auto& [key, watched] : folders_) {
    const auto live = watched.lock();
    if (live != nullptr && key.first == &root) live->doubt();
  }
}

std::uint32_t FileCache::scope(const Root& root, std::string_view rules) {
  for (std::size_t i = 0; i < scopes_.size(); ++i) {
    if (scopes_[i].root == &root && scopes_[i].rules == rules) return static_cast<std::uint32_t>(i);
  }
  scopes_.push_back({&root, std::string(rules)});
  return static_cast<std::uint32_t>(scopes_.size() - 1);
}

void FileCache::allow_entries(std::uint64_t entries_max) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    entries_max = std::min<std::uint64_t>(entries_max, limit.rlim_cur / kDescriptorShare);
    scarce_from_ = static_cast<int>(std::min<rlim_t>(limit.rlim_cur / 4 * 3, INT_MAX));
  }
  entries_max_ = std::max(entries_max_, entries_max);
}

FileRef FileCache::find(const Lookup& lookup, std::string_view path, std::uint64_t since_ns) {
  look(since_ns);
  const auto found = index_.find({lookup.scope, path});
  if (found == index_.end()) return nullptr;
  Entry& entry = found->second;
  const bool told = entry.file_told && is_path_told(entry);
  if (!told || host_.now_ms() - entry.asked_ms >= lookup.revalidate_ms) {
    const Asked asked = ask(entry, lookup, since_ns);
    if (asked == Asked::replaced) erase(found);
    // An entry that is `elsewhere` stays: where a disk has to be asked, `insert` may find that it is still
    // right.
    if (asked != Asked::current) return nullptr;
  }
  entry.used = true;
  return entry.file;
}

FileCache::Asked FileCache::ask(Entry& entry, const Lookup& lookup, std::uint64_t since_ns) {
  const std::uint64_t now_ms = host_.now_ms();
  if (lookup.revalidate_ms == 0) return ask_path(entry, lookup);
  if (is_path_told(entry)) return ask_file(entry, since_ns);
  // The way was watched until something happened on it.
  const bool way_changed = entry.path_told != WatchedPath::kNever;
  const bool led_here = !entry.path_doubted && !way_changed && entry.root_replaced == lookup.root.replaced &&
                        now_ms - entry.led_here_ms < lookup.revalidate_ms;
  return led_here && now_ms < entry.ask_until_ms ? ask_file(entry, since_ns) : ask_path(entry, lookup);
}

FileCache::Asked FileCache::ask_file(Entry& entry, std::uint64_t since_ns) {
  if (!entry.file->unchanged_since(entry.file_told ? kNow : since_ns)) {
    look(kNow);
    if (entry.file_told) note_untold(*entry.file);
    return Asked::replaced;
  }
  entry.asked_ms = host_.now_ms();
  entry.file->mature();
  entry.file_told = may_rely_on(entry);
  return Asked::current;
}

FileCache::Asked FileCache::ask_path(Entry& entry, const Lookup& lookup) {
  const std::uint64_t now_ms = host_.now_ms();
  const int folder = lookup.root.folder->get();
  entry.path_told = WatchedPath::kNever;
  entry.path_doubted = true;  // until the path has led here again
  entry.file_told = false;
  const bool wanted = lookup.revalidate_ms > 0 && now_ms >= entry.ask_until_ms;
  if (wanted && watch(entry, lookup) && entry.file->unchanged_right_at(folder, lookup.links)) {
    entry.path_told = entry.folder->standing();
  } else {
    if (wanted) entry.ask_until_ms = now_ms + kUnwatchedMs;
    if (!entry.file->unchanged_at(folder, lookup.links)) {
      return wanted && !entry.file->unchanged_since(kNow) ? Asked::replaced : Asked::elsewhere;
    }
  }
  entry.led_here_ms = entry.asked_ms = now_ms;
  entry.root_replaced = lookup.root.replaced;
  entry.path_doubted = false;
  entry.file->mature();
  entry.file_told = may_rely_on(entry);
  return Asked::current;
}

bool FileCache::may_rely_on(const Entry& entry) const {
  const FileFacts& facts = entry.file->facts();
  return entry.path_told != WatchedPath::kNever && host_.now_ms() >= entry.opened_until_ms &&
         !entry.file->is_young() && !untold_.contains({facts.device, facts.inode});
}

void FileCache::note_untold(const OpenFile& file) {
  if (untold_.size() >= kUntoldMax) untold_.clear();
  untold_.insert({file.facts().device, file.facts().inode});
}

// Whether all changes to the file, and on the way to it, are reported from now on.
bool FileCache::watch(Entry& entry, const Lookup& lookup) {
  struct statx known {};
  return look_unsynced(entry.file->fd(), known) && ways_.feed().tells(known) && watch_file(entry) &&
         watch_folder(entry, lookup);
}

bool FileCache::watch_file(Entry& entry) {
  if (entry.watch != ChangeFeed::kNoWatch) return true;
  const int watch = ways_.feed().watch_file(entry.file->fd());
  if (watch == ChangeFeed::kNoWatch) return false;
  watched_.emplace(watch, &entry);  // may fail for want of memory: then there is nothing to take back
  entry.watch = watch;
  return true;
}

bool FileCache::watch_folder(Entry& entry, const Lookup& lookup) {
  if (entry.folder == nullptr) {
    const std::string& path = entry.file->path();
    const std::size_t slash = path.rfind('/');
    std::pair key(&lookup.root, slash == std::string::npos ? std::string() : path.substr(0, slash));
    std::weak_ptr<WatchedFolder>& known = folders_[key];
    entry.folder = known.lock();
    if (entry.folder == nullptr) {
      known = entry.folder = std::make_shared<WatchedFolder>(*this, lookup.root, std::move(key.second));
    }
  }
  WatchedFolder& folder = *entry.folder;
  if (folder.standing() != WatchedPath::kNever) return true;
  const std::uint64_t now_ms = host_.now_ms();
  if (folder.untold() && now_ms - folder.asked_ms < kUnwatchedMs) return false;
  folder.asked_ms = now_ms;
  const int root = lookup.root.folder->get();
  const WatchedPaths::Followed followed = ways_.follow(folder, root, folder.path, WatchedPaths::Names::wanted);
  if (folder.standing() == WatchedPath::kNever) return false;
  // Opening a file there has to take the same way, or the watches are on the wrong folders.
  const char* const path = folder.path.empty() ? "." : folder.path.c_str();
  FileFacts facts;
  const int error = look_beneath(root, path, Resolve::cached_only, lookup.links, facts);
  if (error == 0 && followed.error == 0 && facts.device == followed.device && facts.inode == followed.inode) {
    return true;
  }
  folder.set_untold();
  return false;
}

void FileCache::file_changed(int watch, std::uint32_t mask) {
  const auto [first, last] = watched_.equal_range(watch);
  for (auto at = first; at != last; ++at) {
    Entry& entry = *at->second;
    entry.file_told = false;
    if ((mask & IN_OPEN) != 0) entry.opened_until_ms = host_.now_ms() + kOpenedMs;
  }
}

void FileCache::name_changed(WatchedPath& way, std::string_view name) {
  const auto& folder = static_cast<const WatchedFolder&>(way);
  std::string path = folder.path;
  if (!path.empty()) path += '/';
  path += name;
  for (std::size_t i = 0; i < scopes_.size(); ++i) {
    if (scopes_[i].root != &folder.root) continue;
    const auto found = index_.find({static_cast<std::uint32_t>(i), path});
    if (found == index_.end()) continue;
    found->second.path_told = WatchedPath::kNever;
    found->second.path_doubted = true;
  }
}

FileRef FileCache::insert(const Lookup& lookup, std::string_view path, std::shared_ptr<const OwnedFd> folder,
                          OwnedFd fd, const FileFacts& facts, std::string_view type, bool local) {
  if (!local) {
    drop(lookup.scope, path);
    return OpenFile::make(host_, shared_, std::move(fd), facts, path, type, false);
  }
  const std::uint64_t now_ms = host_.now_ms();
  // A thread opened it beneath the old root while another folder took the root's place.
  const bool doubted = folder != lookup.root.folder;
  const auto found = index_.find({lookup.scope, path});
  if (found != index_.end()) {
    Entry& entry = found->second;
    if (entry.file->facts() == facts) {
      entry.led_here_ms = entry.asked_ms = now_ms;
      entry.root_replaced = lookup.root.replaced;
      entry.path_doubted = doubted;
      entry.file->mature();
      entry.used = true;
      return entry.file;
    }
    erase(found);
  }
  const bool scarce = fd.get() >= scarce_from_;
  if (scarce) shed();
  FileRef made = OpenFile::make(host_, shared_, std::move(fd), facts, path, type);
  if (made != nullptr) made->folder = std::move(folder);
  if (made == nullptr || retired_ || scarce || entries_max_ == 0 || facts.links == 0) return made;
  shrink(entries_max_ - 1);
  const Key key{lookup.scope, made->path()};
  // The steps that may run out of memory come first.
  std::list<Key> place{key};
  Entry entry{made, now_ms, now_ms, lookup.root.replaced, place.begin()};
  entry.path_doubted = doubted;
  index_.emplace(key, std::move(entry));
  order_.splice(order_.begin(), place);
  return made;
}

bool FileCache::wants_hash(OpenFile& file) {
  if (file.has_hash() || file.facts().size > kHashedMax || file_is_young(file.facts(), wall_seconds()))
    return false;
  const std::string* known = hashes_->find(file.facts());
  if (known != nullptr) file.set_hash(*known);
  return known == nullptr;
}

void FileCache::remember_hash(OpenFile& file, const std::string& etag) {
  hashes_->insert(file.facts(), etag);
  file.set_hash(etag);
}

void FileCache::drop(std::uint32_t scope, std::string_view path) {
  const auto found = index_.find({scope, path});
  if (found != index_.end()) erase(found);
}

void FileCache::erase(Index::iterator entry) {
  const int watch = entry->second.watch;
  if (watch != ChangeFeed::kNoWatch) {
    auto [at, last] = watched_.equal_range(watch);
    while (at != last && at->second != &entry->second) ++at;
    watched_.erase(at);
    if (!watched_.contains(watch)) ways_.feed().drop(watch);
  }
  order_.erase(entry->second.place);
  index_.erase(entry);
}

void FileCache::shrink(std::size_t entries_max) {
  for (int spared = 0; index_.size() > entries_max;) {
    const auto last = index_.find(order_.back());
    if (last->second.used && spared < kSparedMax) {
      last->second.used = false;
      order_.splice(order_.begin(), order_, last->second.place);
      ++spared;
    } else {
      erase(last);
      spared = 0;
    }
  }
}

void FileCache::shed() {
  shrink(index_.size() - std::min((index_.size() + 1) / 2, kGivenUpMax));
}

void FileCache::retire() {
  retired_ = true;
  ways_.close();
  destroy_on_thread(host_, std::exchange(hashes_, std::make_unique<ContentHashCache>(0)));
  give_up_rest();
}

void FileCache::give_up_rest() {
  if (index_.empty()) return;
  std::vector<OwnedFd> fds;
  for (std::size_t i = 0; i < kGivenUpMax && !index_.empty(); ++i) {
    const auto last = index_.find(order_.back());
    FileRef file = std::move(last->second.file);  // the key's path is in it
    erase(last);
    OpenFile::drop(std::move(file), fds);
  }
  close_on_thread(std::move(fds));
}

void FileCache::close_on_thread(std::vector<OwnedFd> fds) {
  auto work = std::make_unique<Retiring>(*this, std::move(fds));
  if (host_.offload(work.get())) return static_cast<void>(work.release());
  shrink(0);  // the worker ends, or the reserve for retired modules is full
}

}  // namespace sluice::files
