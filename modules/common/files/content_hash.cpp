#include "common/files/content_hash.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <memory>
#include <utility>

namespace sluice::files {
namespace {

// Large enough that the calls cost little beside the hashing, small enough for a core's own cache. A multiple
// of a block of the hash.
constexpr std::size_t kPieceSize = 128 * 1024;
constexpr std::size_t kTagBytes = 16;

// SHA-256 (FIPS 180-4), written here: a library for these few lines would be loaded by every server, and many
// containers forbid the kernel's own (AF_ALG).
constexpr std::array<std::uint32_t, 64> kRounds = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

class Sha256 {
 public:
  static constexpr std::size_t kSize = 32;

  // REQUIRES: `size` is a multiple of kBlockSize in all calls but the last.
  void add(const unsigned char* data, std::size_t size) {
    total_ += size;
    for (; size >= kBlockSize; data += kBlockSize, size -= kBlockSize) digest(data);
    std::copy_n(data, size, block_.data());
    used_ = size;
  }

  std::array<unsigned char, kSize> finish() {
    const std::uint64_t bits = total_ * 8;
    block_[used_++] = 0x80;
    if (used_ > kBlockSize - sizeof(bits)) {
      std::fill(block_.begin() + static_cast<std::ptrdiff_t>(used_), block_.end(),
                static_cast<unsigned char>(0));
      digest(block_.data());
      used_ = 0;
    }
    std::fill(block_.begin() + static_cast<std::ptrdiff_t>(used_), block_.end(), static_cast<unsigned char>(0));
    for (std::size_t i = 0; i < sizeof(bits); ++i) {
      block_[kBlockSize - 1 - i] = static_cast<unsigned char>(bits >> (8 * i));
    }
    digest(block_.data());
    std::array<unsigned char, kSize> result;
    for (std::size_t i = 0; i < kSize; ++i) {
      result[i] = static_cast<unsigned char>(state_[i / 4] >> (24 - 8 * (i % 4)));
    }
    return result;
  }

 private:
  static constexpr std::size_t kBlockSize = 64;

  void digest(const unsigned char* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, kBlockSize> block_{};
  std::size_t used_ = 0;
  std::uint64_t total_ = 0;
};

void Sha256::digest(const unsigned char* block) {
  std::array<std::uint32_t, 64> words;
  for (std::size_t i = 0; i < 16; ++i, block += 4) {
    words[i] = static_cast<std::uint32_t>(block[0]) << 24 | static_cast<std::uint32_t>(block[1]) << 16 |
               static_cast<std::uint32_t>(block[2]) << 8 | block[3];
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t near = words[i - 2];
    const std::uint32_t far = words[i - 15];
    words[i] = words[i - 16] + (std::rotr(far, 7) ^ std::rotr(far, 18) ^ (far >> 3)) + words[i - 7] +
               (std::rotr(near, 17) ^ std::rotr(near, 19) ^ (near >> 10));
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t first = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                                ((e & f) ^ (~e & g)) + kRounds[i] + words[i];
    const std::uint32_t second =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  const std::array<std::uint32_t, 8> mixed = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < mixed.size(); ++i) state_[i] += mixed[i];
}

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

HashEnd read_all(int fd, std::uint64_t size, const std::stop_token& stop, Sha256& hash) {
  const auto buffer = std::make_unique_for_overwrite<unsigned char[]>(kPieceSize);
  for (std::uint64_t offset = 0; offset < size; offset += kPieceSize) {
    if (stop.stop_requested()) return HashEnd::stopped;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kPieceSize, size - offset));
    const HashEnd end = read_piece(fd, buffer.get(), wanted, offset);
    if (end != HashEnd::hashed) return end;
    hash.add(buffer.get(), wanted);
  }
  return HashEnd::hashed;
}

std::string tag_of(Sha256& hash) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto bytes = hash.finish();
  std::string tag = "\"";
  for (std::size_t i = 0; i < kTagBytes; ++i) {
    tag += kDigits[bytes[i] >> 4];
    tag += kDigits[bytes[i] & 15];
  }
  return tag + '"';
}

}  // namespace

ContentHash hash_content(int fd, const FileFacts& facts, std::int64_t now_s, const std::stop_token& stop) {
  if (!facts.is_regular()) return {HashEnd::failed, {}};
  // The ctime decides: anyone can set an mtime, also into the past or the future.
  if (facts.ctime_s >= now_s - kYoungSeconds) return {HashEnd::young, {}};
  if (!unchanged(fd, facts)) return {HashEnd::changed, {}};
  Sha256 hash;
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
