#include "common/files/file_facts.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "common/http/http_text.h"

namespace sluice::files {
namespace {

// Reproducible builds and image stores stamp every file with second 0 or 1: equal times of unequal contents.
constexpr std::int64_t kMeaninglessSecondsMax = 1;

constexpr off_t kBlockSize = 512;  // of st_blocks, everywhere

std::uint64_t nanoseconds(std::int64_t seconds, std::uint32_t rest) {
  return static_cast<std::uint64_t>(seconds) * 1'000'000'000 + rest;
}

}  // namespace

FileFacts facts_of(const struct stat& status) {
  FileFacts facts;
  facts.size = static_cast<std::uint64_t>(status.st_size);
  facts.device = status.st_dev;
  facts.inode = status.st_ino;
  facts.links = status.st_nlink;
  facts.mtime_s = status.st_mtim.tv_sec;
  facts.ctime_s = status.st_ctim.tv_sec;
  facts.mtime_ns = static_cast<std::uint32_t>(status.st_mtim.tv_nsec);
  facts.ctime_ns = static_cast<std::uint32_t>(status.st_ctim.tv_nsec);
  facts.mode = status.st_mode;
  facts.owner = status.st_uid;
  facts.has_holes = status.st_blocks < status.st_size / kBlockSize;
  return facts;
}

int read_facts(int fd, FileFacts& facts) {
  struct stat status;
  // The C library's fstat passes an empty path relative to the descriptor, which costs the kernel a read of
  // it.
  if (syscall(SYS_fstat, fd, &status) != 0) return errno;
  facts = facts_of(status);
  return 0;
}

int read_identity(int fd, FileFacts& facts) {
  struct statx found {};
  if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &found) != 0) return read_facts(fd, facts);
  facts.device = gnu_dev_makedev(found.stx_dev_major, found.stx_dev_minor);
  facts.inode = found.stx_ino;
  return 0;
}

bool file_is_young(const FileFacts& facts, std::int64_t now_s) {
  return facts.mtime_s >= now_s - kYoungSeconds || facts.ctime_s >= now_s - kYoungSeconds;
}

std::int64_t wall_seconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec;
}

std::uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return nanoseconds(now.tv_sec, static_cast<std::uint32_t>(now.tv_nsec));
}

Validators make_validators(const FileFacts& facts, std::int64_t now_s) {
  Validators made;
  if (facts.mtime_s >= 0 && facts.mtime_s <= kMeaninglessSecondsMax) return made;
  made.etag = file_is_young(facts, now_s) ? "W/\"" : "\"";
  // The ctime is part of it: a program that writes to a file can set the mtime back, but not the ctime.
  append_hex(made.etag, nanoseconds(facts.mtime_s, facts.mtime_ns));
  made.etag += '-';
  append_hex(made.etag, nanoseconds(facts.ctime_s, facts.ctime_ns));
  made.etag += '-';
  append_hex(made.etag, facts.size);
  made.etag += '-';
  append_hex(made.etag, facts.inode);
  made.etag += '"';
  // RFC 9110 section 8.8.2.1 forbids a Last-Modified later than Date.
  if (facts.mtime_s <= now_s) made.last_modified = http_date(facts.mtime_s);
  return made;
}

}  // namespace sluice::files
