#include "common/files/content_hash.h"

// Compiled in here, so that a module needs no library beside it.
#define XXH_INLINE_ALL
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <memory>
#include <utility>

namespace sluice::files {
namespace {

// Large enough that the calls cost little beside the hashing, small enough for a core's own cache.
constexpr std::size_t kPieceSize = 128 * 1024;

bool unchanged(int fd, const FileFacts& facts) {
  FileFacts now;
  return read_facts(fd, now) == 0 && now == facts;
}

// Reads all `size` bytes at `offset`, in as many calls as it takes.
HashEnd read_piece(int fd, unsigned char* out, std::size_t size, std::uint64_t offset) {
  for (std::size_t filled = 0; filled < size;) {
    const ssize_t got = pread(fd, out + filled, size - filled, static_cast<off_t>(offset + filled));
    if (got == 0) return HashEnd::changed;
    if (got < 0 && errno != EINTR) return HashEnd::failed;
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  return HashEnd::hashed;
}

HashEnd read_all(int fd, std::uint64_t size, const std::stop_token& stop, XXH3_state_t& hash) {
  const auto buffer = std::make_unique_for_overwrite<unsigned char[]>(kPieceSize);
  for (std::uint64_t offset = 0; offset < size; offset += kPieceSize) {
    if (stop.stop_requested()) return HashEnd::stopped;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kPieceSize, size - offset));
    const HashEnd end = read_piece(fd, buffer.get(), wanted, offset);
    if (end != HashEnd::hashed) return end;
    XXH3_128bits_update(&hash, buffer.get(), wanted);
  }
  return HashEnd::hashed;
}

std::string tag_of(const XXH3_state_t& hash) {
  constexpr char kDigits[] = "0123456789abcdef";
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(&hash));
  std::string tag = "\"";
  for (const unsigned char byte : bytes.digest) {
    tag += kDigits[byte >> 4];
    tag += kDigits[byte & 15];
  }
  return tag + '"';
}

}  // namespace

ContentHash hash_content(int fd, const FileFacts& facts, std::int64_t now_s, const std::stop_token& stop) {
  if (!facts.is_regular()) return {HashEnd::failed, {}};
  // The ctime decides: anyone can set an mtime, also into the past or the future.
  if (facts.ctime_s >= now_s - kYoungSeconds) return {HashEnd::young, {}};
  if (!unchanged(fd, facts)) return {HashEnd::changed, {}};
  XXH3_state_t hash;
  XXH3_128bits_reset(&hash);
  const HashEnd end = read_all(fd, facts.size, stop, hash);
  if (end != HashEnd::hashed) return {end, {}};
  if (!unchanged(fd, facts)) return {HashEnd::changed, {}};
  return {HashEnd::hashed, tag_of(hash)};
}

std::size_t ContentHashCache::KeyHash::operator()(const Key& key) const {
  std::uint64_t mixed = 0;
  for (const std::uint64_t part :
       {key.device, key.inode, key.size, static_cast<std::uint64_t>(key.mtime_s) << 30 ^ key.mtime_ns,
        static_cast<std::uint64_t>(key.ctime_s) << 30 ^ key.ctime_ns}) {
    mixed = std::rotl(mixed ^ part, 27) * 0x9E3779B97F4A7C15ULL;
  }
  return static_cast<std::size_t>(mixed ^ mixed >> 32);
}

ContentHashCache::Key ContentHashCache::key_of(const FileFacts& facts) {
  return {facts.device, facts.inode, facts.size, facts.mtime_s, facts.ctime_s, facts.mtime_ns, facts.ctime_ns};
}

const std::string* ContentHashCache::find(const FileFacts& facts) {
  const auto found = index_.find(key_of(facts));
  if (found == index_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return &found->second->etag;
}

void ContentHashCache::insert(const FileFacts& facts, std::string etag) {
  if (entries_max_ == 0) return;
  const Key key = key_of(facts);
  if (const auto found = index_.find(key); found != index_.end()) {
    // Two requests may have wanted the same tag; both made it from the same bytes.
    found->second->etag = std::move(etag);
    recent_.splice(recent_.begin(), recent_, found->second);
    return;
  }
  if (index_.size() == entries_max_) {
    index_.erase(recent_.back().key);
    recent_.pop_back();
  }
  recent_.push_front({key, std::move(etag)});
  index_.emplace(key, recent_.begin());
}

}  // namespace sluice::files
