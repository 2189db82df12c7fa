// An entity tag (RFC 9110 section 8.8.3) made from a file's content by XXH3 in 128 bits: equal on every server
// that has the same bytes. And a cache of such tags, since making one reads the whole file.
//
// XXH3 is not a cryptographic hash. A person who writes a file could make two versions of it with one tag. A
// client would then keep the older one, as if the file had not changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "common/files/file_facts.h"

namespace sluice::files {

enum class HashEnd : std::uint8_t {
  hashed,
  young,    // its last change is so fresh that the next one might leave no trace: try again later
  changed,  // the file is not, or no longer, as `facts` says: try again with new facts
  stopped,  // by the stop token
  failed,   // the file cannot be read, or is not a regular file
};

struct ContentHash {
  HashEnd end = HashEnd::failed;
  std::string etag;  // quoted and strong: 32 hexadecimal digits, as xxh128sum(1) has them; empty unless hashed
};

// Reads the whole file, which costs little more than copying it: for an offload thread. `now_s` is
// CLOCK_REALTIME, not later than the call. The caller keeps the descriptor open until the call returns; its
// offset is neither used nor moved. A write through a shared mapping can go unseen, as fstat can miss it.
ContentHash hash_content(int fd, const FileFacts& facts, std::int64_t now_s, const std::stop_token& stop = {});

// The tags of files as they were when hashed. Keeps the last used ones. Loop thread.
//
// INVARIANT: every entry is in `recent_` and in `index_`, and there are at most `entries_max_`.
class ContentHashCache {
 public:
  explicit ContentHashCache(std::size_t entries_max) : entries_max_(entries_max) {}
  ContentHashCache(const ContentHashCache&) = delete;
  ContentHashCache& operator=(const ContentHashCache&) = delete;

  // The tag of a file with these facts, or null. The pointer is valid until the next insert.
  const std::string* find(const FileFacts& facts);
  // REQUIRES: `etag` was made by hash_content from these facts.
  void insert(const FileFacts& facts, std::string etag);
  std::size_t size() const { return index_.size(); }

 private:
  // These cannot all stay equal when the content changes, once the file is no longer young.
  struct Key {
    std::uint64_t device;
    std::uint64_t inode;
    std::uint64_t size;
    std::int64_t mtime_s;
    std::int64_t ctime_s;
    std::uint32_t mtime_ns;
    std::uint32_t ctime_ns;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  struct Entry {
    Key key;
    std::string etag;
  };

  static Key key_of(const FileFacts& facts);

  const std::size_t entries_max_;
  std::list<Entry> recent_;  // the last used first
  std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> index_;
};

}  // namespace sluice::files
