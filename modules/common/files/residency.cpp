#include "common/files/residency.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

namespace sluice::files {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kMincorePages = 64;  // looked at in one call

// cachestat(2), Linux 6.5; Debian 12's C library does not know it.
constexpr long kCachestatNumber = 451;
struct CachestatRange {
  std::uint64_t offset;
  std::uint64_t size;
};
struct Cachestat {
  std::uint64_t cached;
  std::uint64_t dirty;
  std::uint64_t writeback;
  std::uint64_t evicted;
  std::uint64_t recently_evicted;
};

// How many pages of a range the page cache has, and how many there are. Pages that are still being read count
// as cached. Nothing if the kernel does not answer: before Linux 6.5, and for files of other users.
struct CachedPages {
  std::uint64_t cached;
  std::uint64_t pages;
  bool all() const { return cached >= pages; }
};
std::optional<CachedPages> count_cached(int fd, std::uint64_t offset, std::uint64_t size) {
  CachestatRange range{offset, size};
  Cachestat found{};
  if (syscall(kCachestatNumber, fd, &range, &found, 0U) != 0) return std::nullopt;
  return CachedPages{found.cached, (offset + size - 1) / kPage - offset / kPage + 1};
}

// `absent` means that a page is missing for sure; `resident` means that it may be there.
Residency ask_cachestat(const OpenFile& file, std::uint64_t offset, std::uint64_t size) {
  const auto counted = count_cached(file.fd(), offset, size);
  if (!counted) return Residency::unknown;
  if (counted->all()) return Residency::resident;
  FileFacts now;  // a range behind the end is never cached
  return read_facts(file.fd(), now) == 0 && offset + size <= now.size ? Residency::absent : Residency::resident;
}

// The first page of the range that the page cache does not have. If the kernel does not answer, this assumes
// that it has begun with as much as any disk takes in one request.
std::uint64_t first_missing(int fd, std::uint64_t offset, std::uint64_t end) {
  constexpr std::uint64_t kReadAtOnceMin = 256 * 1024;
  const std::uint64_t first = offset / kPage;
  std::uint64_t present = 0;                             // pages in a row that are there
  std::uint64_t beyond = (end - 1) / kPage + 2 - first;  // of so many pages in a row at least one is missing
  for (std::uint64_t pages = beyond - 1; present + 1 < beyond; pages = present + (beyond - present) / 2) {
    const auto counted = count_cached(fd, first * kPage, pages * kPage);
    if (!counted) return std::min(offset + kReadAtOnceMin, end);
    if (counted->all()) {
      present = pages;
    } else {
      beyond = std::min(pages, counted->cached + 1);  // no more can be in a row than are cached at all
    }
  }
  return std::clamp((first + present) * kPage, offset, end);
}

// A read with RWF_NOWAIT of a missing page makes the kernel begin to read it, and says so (preadv2(2)). The
// null address cannot be written to, so pages that have come in between are not copied.
void use_nowhere(int fd, std::uint64_t offset, std::uint64_t size) {
  static_cast<void>(read_nowait(fd, nullptr, size, offset));
}

Residency probe_byte(const OpenFile& file, std::uint64_t offset) {
  char byte;
  const ssize_t got = read_nowait(file.fd(), &byte, 1, offset);
  if (got >= 0) return Residency::resident;
  return errno == EOPNOTSUPP ? Residency::unknown : Residency::absent;
}

// To a user who may not write the file, mincore says "resident" of every page. On tmpfs that hardly matters.
bool may_ask_mincore(const OpenFile& file) {
  const uid_t user = geteuid();
  if (user == 0 || user == file.facts().owner) return true;
  return fcntl(file.fd(), F_GET_SEALS) >= 0;  // tmpfs; statfs would ask a server that may hang
}

Residency ask_mincore(const OpenFile& file, std::uint64_t offset, std::uint64_t size) {
  if (!may_ask_mincore(file)) return Residency::unknown;
  std::uint64_t first = offset / kPage * kPage;
  const std::uint64_t end = std::min(offset + size, file.facts().size);
  while (first < end) {
    const std::uint64_t pages = std::min((end - first + kPage - 1) / kPage, kMincorePages);
    const std::size_t length = pages * kPage;
    void* mapped = mmap(nullptr, length, PROT_READ, MAP_SHARED, file.fd(), static_cast<off_t>(first));
    if (mapped == MAP_FAILED) return Residency::unknown;
    unsigned char present[kMincorePages] = {};
    const int failed = mincore(mapped, length, present);
    munmap(mapped, length);
    if (failed != 0) return Residency::unknown;
    if (!std::all_of(present, present + pages, [](unsigned char page) { return (page & 1) != 0; })) {
      return Residency::unknown;  // readahead might not bring it: a thread reads
    }
    first += length;
  }
  return Residency::resident;
}

}  // namespace

ssize_t read_nowait(int fd, void* into, std::size_t size, std::uint64_t offset) {
  iovec piece{into, size};
  const ssize_t got = preadv2(fd, &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  // A filter of system calls answers so to a call that it does not know.
  if (got < 0 && (errno == EPERM || errno == ENOSYS)) errno = EOPNOTSUPP;
  return got;
}

std::uint64_t probe_step(const OpenFile& file, std::uint64_t wanted) {
  return file.facts().has_holes ? kPage : wanted;
}

Residency residency(OpenFile& file, std::uint64_t offset, std::uint64_t size, std::uint64_t probe_every) {
  if (size == 0) return Residency::resident;
  if (!file.is_local()) return Residency::unknown;
  if (file.nowait == Known::no) return ask_mincore(file, offset, size);
  // cachestat is asked first. A probe that misses makes the kernel read, and wait for the block map of a file
  // that is new to it. Without cachestat a thread has to be the first to read.
  const Residency known = ask_cachestat(file, offset, size);
  if (known == Residency::absent) return known;
  if (known == Residency::unknown && !file.extents_mapped) return Residency::absent;
  probe_every = probe_step(file, probe_every);
  Residency found = probe_byte(file, offset + size - 1);
  for (std::uint64_t at = 0; at + probe_every < size && found == Residency::resident; at += probe_every) {
    found = probe_byte(file, offset + at);
  }
  if (found != Residency::unknown) return found;
  file.nowait = Known::no;
  return ask_mincore(file, offset, size);
}

void read_on(int fd, ReadingOn& reading, std::uint64_t size, std::uint64_t end) {
  // Each read takes larger pages than the one before (page_cache_ra_order in mm/readahead.c), so the first
  // one is small. Not so in the middle of a file, where the kernel would read nothing beyond it, and not
  // without cachestat, where the guess of first_missing has to hold.
  constexpr std::uint64_t kFirstUse = 64 * 1024;
  constexpr std::uint64_t kReadAtOnceMax = 8 << 20;
  const std::uint64_t from = reading.begun;
  const std::uint64_t seen_end = std::min(from + kReadAtOnceMax, end);
  if (reading.mark < from) {
    use_nowhere(fd, reading.mark, size);
    reading.begun = first_missing(fd, from, seen_end);
    reading.mark = from;  // the first page of what it has begun with
    if (reading.begun > from) return;
  }
  if (from == 0 && count_cached(fd, from, 1)) size = std::min(size, kFirstUse);
  use_nowhere(fd, from, std::min(size, end - from));
  reading.begun = first_missing(fd, from, seen_end);
  // If the kernel read more than was asked for, the surplus begins with the mark; else the mark is in the
  // middle.
  const std::uint64_t read = reading.begun - from;
  reading.mark = read > size ? from + size : from + read / 2;
}

}  // namespace sluice::files
