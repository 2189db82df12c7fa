// The open files of a worker, by folder and path, so that a request for a file that was asked for before costs
// one fstat. Lives in a module's Shared; all its mounts use it. Loop thread.
//
// A file is looked at for each request, or for several that had all arrived before: one that changed in place
// is dropped, and a rename over its path is noticed at once where it leaves the old file without a link, else
// after `revalidate_ms`.
//
// Those that were not used since the last look give way first, the oldest of them before the others: moving
// each used entry to the front of a list would cost more than the search for it.
//
// INVARIANT: every entry is in `index_` and in `order_`, and there are at most `entries_max_`.
#pragma once

#include <sluice/handler.h>

#include <climits>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/content_hash.h"
#include "common/open_file.h"

namespace sluice::files {

class FileCache {
 public:
  explicit FileCache(Host& host) : host_(host) {}
  // From here on files are closed where their last reference ends: the host is about to go.
  ~FileCache() { shared_->threads_usable = false; }
  FileCache(const FileCache&) = delete;
  FileCache& operator=(const FileCache&) = delete;

  // A number for "beneath this folder, by these rules": files that would be others, or get other head lines,
  // under other rules are other entries.
  std::uint32_t scope(int folder_fd, std::string_view rules);
  // The largest wish of all mounts counts, within a share of the descriptors that the process may open.
  void allow_entries(std::uint64_t entries_max);

  // How a mount looks up its paths.
  struct Lookup {
    std::uint32_t scope;
    int folder_fd;
    Links links;
    std::uint64_t revalidate_ms;
  };
  // The file, unchanged since it was opened by a look taken since `since_ns` (Request::arrived_ns). Null: open
  // the path and `insert`.
  FileRef find(const Lookup& lookup, std::string_view path, std::uint64_t since_ns);
  // The file that has just been opened at that path, or the entry that it turns out to be. Null when its head
  // lines are refused. What is not local is not kept: only a thread could tell whether it has changed.
  FileRef insert(std::uint32_t scope, std::string_view path, OwnedFd fd, const FileFacts& facts,
                 std::string_view type, bool local = true);
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
    std::uint64_t device;
    std::uint64_t inode;
    std::string rules;
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
    std::uint64_t led_here_ms;  // when the path last led to this file
    bool used;                  // since it was last spared
    std::list<Key>::iterator place;
  };
  using Index = std::unordered_map<Key, Entry, KeyHash>;

  class Retiring;

  void erase(Index::iterator entry);
  void give_up_rest();
  void close_on_thread(std::vector<OwnedFd> fds);
  void shrink(std::size_t entries_max);

  Host& host_;
  const std::shared_ptr<OpenFilesState> shared_ = std::make_shared<OpenFilesState>();
  std::vector<Scope> scopes_;
  std::uint64_t entries_max_ = 0;
  int scarce_from_ = INT_MAX;  // a descriptor of this number tells that they are running short
  bool retired_ = false;
  std::unique_ptr<ContentHashCache> hashes_ = std::make_unique<ContentHashCache>(kHashesMax);
  std::list<Key> order_;  // the first to give way stands last
  Index index_;
};

}  // namespace sluice::files
