#include "common/file_cache.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "common/destroy_on_thread.h"

namespace sluice::files {
namespace {

// The cache takes up to half of the descriptors. Connections need them more, so it gives up entries when, the
// lowest free number being the one that is used, three quarters are taken.
constexpr std::uint64_t kDescriptorShare = 2;
// The first request for a file waits while it is hashed: about a second at this size.
constexpr std::uint64_t kHashedMax = 256 << 20;
// Entries that are spared in one search for one to give up: the search is bounded, and who is popular enough is
// seen in the next.
constexpr int kSparedMax = 16;
// Entries that are given up at once: it takes the loop well below a millisecond.
constexpr std::size_t kGivenUpMax = 256;

}  // namespace

// Closes what some entries had open. Its end on the loop brings the next, and until then it holds the module.
class FileCache::Retiring final : public Work {
 public:
  Retiring(FileCache& cache, std::vector<OwnedFd> fds) : cache_(cache), fds_(std::move(fds)) {}
  void run() override { fds_.clear(); }
  // Those that had to wait for too long can wait again.
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

std::uint32_t FileCache::scope(int folder_fd, std::string_view rules) {
  FileFacts folder;
  read_identity(folder_fd, folder);
  for (std::size_t i = 0; i < scopes_.size(); ++i) {
    const Scope& known = scopes_[i];
    if (known.device == folder.device && known.inode == folder.inode && known.rules == rules) {
      return static_cast<std::uint32_t>(i);
    }
  }
  scopes_.push_back({folder.device, folder.inode, std::string(rules)});
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
  const auto found = index_.find({lookup.scope, path});
  if (found == index_.end()) return nullptr;
  Entry& entry = found->second;
  if (host_.now_ms() - entry.led_here_ms >= lookup.revalidate_ms) {
    // Kept, if not: where a disk has to be asked, insert may meet it again.
    if (!entry.file->unchanged_at(lookup.folder_fd, lookup.links)) return nullptr;
    entry.led_here_ms = host_.now_ms();
  } else if (!entry.file->unchanged_since(since_ns)) {
    erase(found);
    return nullptr;
  }
  entry.file->mature();
  entry.used = true;
  return entry.file;
}

FileRef FileCache::insert(std::uint32_t scope, std::string_view path, OwnedFd fd, const FileFacts& facts,
                          std::string_view type, bool local) {
  if (!local) {
    drop(scope, path);
    return OpenFile::make(host_, shared_, std::move(fd), facts, path, type, false);
  }
  const auto found = index_.find({scope, path});
  if (found != index_.end()) {
    Entry& entry = found->second;
    if (entry.file->facts() == facts) {
      entry.led_here_ms = host_.now_ms();
      entry.file->mature();
      entry.used = true;
      return entry.file;
    }
    erase(found);
  }
  const bool scarce = fd.get() >= scarce_from_;
  if (scarce) shed();
  FileRef made = OpenFile::make(host_, shared_, std::move(fd), facts, path, type);
  if (made == nullptr || retired_ || scarce || entries_max_ == 0 || facts.links == 0) return made;
  shrink(entries_max_ - 1);
  const Key key{scope, made->path()};
  // What may fail for want of memory comes first.
  std::list<Key> place{key};
  index_.emplace(key, Entry{made, host_.now_ms(), false, place.begin()});
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
  destroy_on_thread(host_, std::exchange(hashes_, std::make_unique<ContentHashCache>(0)));
  give_up_rest();
}

void FileCache::give_up_rest() {
  if (index_.empty()) return;
  std::vector<OwnedFd> fds;
  for (std::size_t i = 0; i < kGivenUpMax && !index_.empty(); ++i) {
    const auto last = index_.find(order_.back());
    FileRef file = std::move(last->second.file);  // it has the key's path
    erase(last);
    OpenFile::drop(std::move(file), fds);
  }
  close_on_thread(std::move(fds));
}

void FileCache::close_on_thread(std::vector<OwnedFd> fds) {
  auto work = std::make_unique<Retiring>(*this, std::move(fds));
  if (host_.offload(work.get())) return static_cast<void>(work.release());
  shrink(0);  // the worker ends, or even the reserve for retired modules is full
}

}  // namespace sluice::files
