// The open files of a worker, by folder and path, so that a request for a file that was asked for before costs
// no system call. Lives in a module's Shared; all its mounts use it. Loop thread.
//
// A file and its path are watched from its second use on: what `look` is told of is looked at again, and so is
// each file after `revalidate_ms`, for there are changes that nobody is told of. Where changes are not told at
// all, a file is looked at for each request, or for several that had all arrived before: one that changed in
// place is dropped, and a rename over its path is noticed at once where it leaves the old file without a link,
// else after `revalidate_ms`.
//
// Those that were not used since the last look give way first, the oldest of them before the others: moving
// each used entry to the front of a list would cost more than the search for it.
//
// INVARIANT: every entry is in `index_` and in `order_`, and there are at most `entries_max_`.
#pragma once

#include <sluice/handler.h>

#include <climits>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/files/content_hash.h"
#include "common/files/open_file.h"
#include "common/files/watched_paths.h"

namespace sluice::files {

// A folder that nothing outside of is opened, as several mounts may have it.
struct Root {
  std::string path;  // as a person wrote it, made absolute; empty where it is not known
  std::shared_ptr<const OwnedFd> folder;
  WatchedPath way;             // to it
  std::uint64_t asked_ms = 0;  // when the way was followed
  std::uint64_t replaced = 0;  // how often another folder was found there
  bool was_cold = false;       // a thread had to be asked for the way
  std::uint64_t begun = 0;     // searches for it so far; those of threads end in any order
  std::uint64_t taken = 0;     // the latest of them whose result is known
  std::uint64_t cold_at = 0;   // how many had begun when a thread's result was last taken
  bool complained = false;     // that it is not found
};

class FileCache final : private WatchedPaths::Owner {
 public:
  explicit FileCache(Host& host) : host_(host), ways_(host, *this) {}
  // From here on files are closed where their last reference ends: the host is about to go.
  ~FileCache() { shared_->threads_usable = false; }
  FileCache(const FileCache&) = delete;
  FileCache& operator=(const FileCache&) = delete;

  // The folder of that descriptor, which stays the caller's, and where it is.
  Root& root(int folder_fd, std::string_view path);
  // Another folder stands where the root was.
  void replace(Root& root, OwnedFd folder);
  // A number for "beneath this folder, by these rules": files that would be others, or get other head lines,
  // under other rules are other entries.
  std::uint32_t scope(const Root& root, std::string_view rules);
  // The largest wish of all mounts counts, within a share of the descriptors that the process may open.
  void allow_entries(std::uint64_t entries_max);

  // For following ways to roots.
  WatchedPaths& ways() { return ways_; }
  // Hears of what has changed, unless it has since then (Request::arrived_ns).
  void look(std::uint64_t since_ns) { ways_.feed().look(since_ns); }

  // How a mount looks up its paths.
  struct Lookup {
    std::uint32_t scope;
    const Root& root;
    Links links;
    std::uint64_t revalidate_ms;
  };
  // The file, unchanged since it was opened by a look taken since `since_ns`. Null: open the path and `insert`.
  FileRef find(const Lookup& lookup, std::string_view path, std::uint64_t since_ns);
  // The file that has just been opened at that path beneath `folder`, or the entry that it turns out to be.
  // Null when its head lines are refused. What is not local is not kept: only a thread could tell whether it
  // has changed.
  FileRef insert(const Lookup& lookup, std::string_view path, std::shared_ptr<const OwnedFd> folder, OwnedFd fd,
                 const FileFacts& facts, std::string_view type, bool local = true);
  // Whether the tag made of the file's content is missing. One that is remembered is put into its head lines.
  bool wants_hash(OpenFile& file);
  void remember_hash(OpenFile& file, const std::string& etag);
  // Drops an entry that was found to be out of date.
  void drop(std::uint32_t scope, std::string_view path);

  // Descriptors are short: gives up some entries, about half of a few and a bounded number of many.
  void shed();
  // Keeps nothing from now on. What it has is given up little by little, as threads close it.
  void retire();
  std::size_t size() const { return index_.size(); }

 private:
  static constexpr std::size_t kHashesMax = 16 * 1024;

  struct Scope {
    const Root* root;
    std::string rules;
  };
  // The folder of files that are watched.
  struct WatchedFolder : WatchedPath {
    WatchedFolder(FileCache& in, const Root& beneath, std::string at)
        : cache(in), root(beneath), path(std::move(at)) {}
    ~WatchedFolder();
    FileCache& cache;
    const Root& root;
    const std::string path;      // beneath the root, as requests name it
    std::uint64_t asked_ms = 0;  // when its way was followed
  };
  struct Key {
    Key(std::uint32_t in, std::string_view at)
        : hash(std::hash<std::string_view>()(at) * 31 + in), scope(in), path(at) {}
    bool operator==(const Key&) const = default;
    std::size_t hash;  // kept, so that a look at a neighbour need not touch its path
    std::uint32_t scope;
    std::string_view path;  // of the entry's file
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return key.hash; }
  };
  struct Entry {
    FileRef file;
    std::uint64_t led_here_ms;    // when the path last led to this file
    std::uint64_t asked_ms;       // when the file was last looked at
    std::uint64_t root_replaced;  // Root::replaced at the time
    std::list<Key>::iterator place;
    bool used = false;                              // since it was last spared
    bool path_doubted = false;                      // something else may stand there
    bool file_told = false;                         // all changes of the file are told
    std::uint64_t path_told = WatchedPath::kNever;  // the standing of the folder's way, by which it led here
    std::uint64_t ask_until_ms = 0;                 // its way could not be watched; not tried again until then
    std::uint64_t opened_until_ms = 0;              // whoever has opened it may write to it unseen until then
    int watch = ChangeFeed::kNoWatch;               // of the file
    std::shared_ptr<WatchedFolder> folder{};
  };
  using Index = std::unordered_map<Key, Entry, KeyHash>;

  // What asking came to.
  enum class Asked : std::uint8_t { current, replaced, elsewhere };
  class Retiring;

  static bool is_path_told(const Entry& entry) {
    return entry.path_told != WatchedPath::kNever && entry.folder->standing() == entry.path_told;
  }
  Asked ask(Entry& entry, const Lookup& lookup, std::uint64_t since_ns);
  Asked ask_file(Entry& entry, std::uint64_t since_ns);
  Asked ask_path(Entry& entry, const Lookup& lookup);
  bool watch(Entry& entry, const Lookup& lookup);
  bool watch_file(Entry& entry);
  bool watch_folder(Entry& entry, const Lookup& lookup);
  bool may_rely_on(const Entry& entry) const;
  void note_untold(const OpenFile& file);
  void file_changed(int watch, std::uint32_t mask) override;
  void name_changed(WatchedPath& way, std::string_view name) override;
  void erase(Index::iterator entry);
  void give_up_rest();
  void close_on_thread(std::vector<OwnedFd> fds);
  void shrink(std::size_t entries_max);

  Host& host_;
  const std::shared_ptr<OpenFilesState> shared_ = std::make_shared<OpenFilesState>();
  std::vector<std::unique_ptr<Root>> roots_;
  std::vector<Scope> scopes_;
  WatchedPaths ways_;
  std::map<std::pair<const Root*, std::string>, std::weak_ptr<WatchedFolder>, std::less<>> folders_;
  std::unordered_multimap<int, Entry*> watched_;              // by watch
  std::set<std::pair<std::uint64_t, std::uint64_t>> untold_;  // devices and inodes that changed unseen
  std::uint64_t entries_max_ = 0;
  int scarce_from_ = INT_MAX;  // a descriptor of this number tells that they are running short
  bool retired_ = false;
  std::unique_ptr<ContentHashCache> hashes_ = std::make_unique<ContentHashCache>(kHashesMax);
  std::list<Key> order_;  // the first to give way stands last
  Index index_;
};

}  // namespace sluice::files
