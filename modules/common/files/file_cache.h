// The open files of a worker, by folder and path, so that the second request for a file costs no system call.
// Lives in a module's Shared; all its mounts use it. Loop thread.
//
// From its second use on, a file and its path are watched. When `look` reports a change of it, the file is
// checked again; so it is every `revalidate_ms`, because some changes are never reported. On file systems
// that report nothing, a file is checked for each request, or once for several that had all arrived before.
// There a file that changed in place is dropped. A rename over its path is noticed at once if it leaves the
// old file without a link, else after `revalidate_ms`.
//
// Entries that were not used since the last search for one to remove go first, the oldest of them before the
// others. Moving each used entry to the front of a list would cost more than that search.
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

// A folder that several mounts may share. Nothing outside of it is opened.
struct Root {
  std::string path;  // as a person wrote it, made absolute; empty if unknown
  std::shared_ptr<const OwnedFd> folder;
  WatchedPath way;             // the path to it
  std::uint64_t asked_ms = 0;  // when that path was last followed
  std::uint64_t replaced = 0;  // how often another folder was found at that path
  bool was_cold = false;       // the last search needed a thread
  std::uint64_t begun = 0;     // number of searches begun; those on threads end in any order
  std::uint64_t taken = 0;     // number of the latest search whose result is known
  std::uint64_t cold_at = 0;   // `begun` when a thread's result was last taken
  bool complained = false;     // the log was told that the folder is not found
  bool moved = false;          // another folder is there, which this worker is not allowed to read
};

class FileCache final : private WatchedPaths::Owner {
 public:
  explicit FileCache(Host& host) : host_(host), ways_(host, *this) {}
  // From here on files are closed on the loop, where their last reference ends: the host is about to go.
  ~FileCache() { shared_->threads_usable = false; }
  FileCache(const FileCache&) = delete;
  FileCache& operator=(const FileCache&) = delete;

  // The root of that descriptor and path. The descriptor stays the caller's.
  Root& root(int folder_fd, std::string_view path);
  // Another folder was found at the root's path.
  void replace(Root& root, OwnedFd folder);
  // A number for "beneath this root, by these rules". Mounts with other rules would find other files, or send
  // other head lines, so they have entries of their own.
  std::uint32_t scope(const Root& root, std::string_view rules);
  // The largest wish of all mounts counts, up to a share of the descriptors that the process may open.
  void allow_entries(std::uint64_t entries_max);

  // For following ways to roots.
  WatchedPaths& ways() { return ways_; }
  // Takes note of what has changed, unless it has done so after `since_ns` (Request::arrived_ns).
  void look(std::uint64_t since_ns) { ways_.feed().look(since_ns); }

  // How a mount looks up its paths.
  struct Lookup {
    std::uint32_t scope;
    const Root& root;
    Links links;
    std::uint64_t revalidate_ms;
  };
  // The file, if it was still unchanged at some moment after `since_ns`. Null: open the path and `insert`.
  FileRef find(const Lookup& lookup, std::string_view path, std::uint64_t since_ns);
  // Adds the file that was just opened at that path beneath `folder`, or returns the entry that has it
  // already. Null when its head lines are refused. A file that is not local is not kept: only a thread could
  // check it.
  FileRef insert(const Lookup& lookup, std::string_view path, std::shared_ptr<const OwnedFd> folder, OwnedFd fd,
                 const FileFacts& facts, std::string_view type, bool local = true);
  // Whether the file's hash is still to be made. A remembered one is put into its head lines.
  bool wants_hash(OpenFile& file);
  void remember_hash(OpenFile& file, const std::string& etag);
  // Drops an entry that was found to be out of date.
  void drop(std::uint32_t scope, std::string_view path);

  // For when descriptors are short: removes half of the entries, but at most a bounded number.
  void shed();
  // Keeps nothing from now on. Threads close the open files little by little.
  void retire();
  std::size_t size() const { return index_.size(); }

 private:
  static constexpr std::size_t kHashesMax = 16 * 1024;

  struct Scope {
    const Root* root;
    std::string rules;
  };
  // A folder that has watched files in it.
  struct WatchedFolder : WatchedPath {
    WatchedFolder(FileCache& in, const Root& beneath, std::string at)
        : cache(in), root(beneath), path(std::move(at)) {}
    ~WatchedFolder();
    FileCache& cache;
    const Root& root;
    const std::string path;      // beneath the root, as requests name it
    std::uint64_t asked_ms = 0;  // when the way to it was last followed
  };
  struct Key {
    Key(std::uint32_t in, std::string_view at)
        : hash(std::hash<std::string_view>()(at) * 31 + in), scope(in), path(at) {}
    bool operator==(const Key&) const = default;
    std::size_t hash;  // kept, so that comparing with a neighbour need not read its path
    std::uint32_t scope;
    std::string_view path;  // of the entry's file
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return key.hash; }
  };
  struct Entry {
    FileRef file;
    std::uint64_t led_here_ms;    // when the path last led to this file
    std::uint64_t asked_ms;       // when the file was last checked
    std::uint64_t root_replaced;  // Root::replaced at that time
    std::list<Key>::iterator place;
    bool used = false;                              // since a search for an entry to remove last passed it over
    bool path_doubted = false;                      // the path may lead to something else now
    bool file_told = false;                         // every change of the file is reported
    std::uint64_t path_told = WatchedPath::kNever;  // the standing of the folder's way when the path led here
    std::uint64_t ask_until_ms = 0;     // the way could not be watched: the next try is at this time
    std::uint64_t opened_until_ms = 0;  // a process that opened the file may write to it unseen until then
    int watch = ChangeFeed::kNoWatch;   // of the file
    std::shared_ptr<WatchedFolder> folder{};
  };
  using Index = std::unordered_map<Key, Entry, KeyHash>;

  // The result of a check. `elsewhere`: the path does not lead to this file, or only opening it would tell.
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
  std::unordered_multimap<int, Entry*> watched_;  // by watch
  std::set<std::pair<std::uint64_t, std::uint64_t>>
      untold_;  // device and inode of files that changed without a report
  std::uint64_t entries_max_ = 0;
  int scarce_from_ = INT_MAX;  // a descriptor with this number means that few are left
  bool retired_ = false;
  std::unique_ptr<ContentHashCache> hashes_ = std::make_unique<ContentHashCache>(kHashesMax);
  std::list<Key> order_;  // the last one is the first to be removed
  Index index_;
};

}  // namespace sluice::files
