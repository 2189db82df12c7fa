// What fstat says of a file, and the validators (RFC 9110 section 8.8) made from it. Any thread.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <string>

namespace sluice::files {

struct FileFacts {
  std::uint64_t size = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t links = 0;
  std::int64_t mtime_s = 0;
  std::int64_t ctime_s = 0;
  std::uint32_t mtime_ns = 0;
  std::uint32_t ctime_ns = 0;
  mode_t mode = 0;
  uid_t owner = 0;
  // The file takes less room on the disk than it is long. So does a file that the file system has compressed,
  // or not yet placed. It says nothing of the content, so it is not compared.
  bool has_holes = false;

  bool operator==(const FileFacts& other) const {
    return same_file(other) && size == other.size && links == other.links && mtime_s == other.mtime_s &&
           mtime_ns == other.mtime_ns && ctime_s == other.ctime_s && ctime_ns == other.ctime_ns &&
           mode == other.mode && owner == other.owner;
  }
  bool is_regular() const { return S_ISREG(mode); }
  bool is_folder() const { return S_ISDIR(mode); }
  bool same_file(const FileFacts& other) const { return device == other.device && inode == other.inode; }
};

FileFacts facts_of(const struct stat& status);
// Returns 0, or an error of errno(3).
int read_facts(int fd, FileFacts& facts);
// Only device and inode: this does not ask a server on which the file may lie.
int read_identity(int fd, FileFacts& facts);

// File systems stamp with a coarse clock, so a second write soon after the first may leave no trace in the
// times. Content that was read from a file this young may change while the times stay equal.
inline constexpr std::int64_t kYoungSeconds = 2;

// The mtime or the ctime is that young, or lies in the future. A program can set an mtime back, but no ctime.
// `now_s` is CLOCK_REALTIME.
bool file_is_young(const FileFacts& facts, std::int64_t now_s);

// CLOCK_REALTIME in seconds.
std::int64_t wall_seconds();
// CLOCK_MONOTONIC.
std::uint64_t monotonic_ns();

struct Validators {
  std::string etag;           // weak while the file is young; empty if the mtime means nothing
  std::string last_modified;  // empty if the mtime means nothing or lies in the future
};
Validators make_validators(const FileFacts& facts, std::int64_t now_s);

}  // namespace sluice::files
