#include "common/files/kernel_mounts.h"

#include <fcntl.h>
#include <linux/stat.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "common/http/text.h"

namespace sluice::files {
namespace {

// File systems that are not listed may change unseen: an overlay from beneath it, a network's file system
// from other machines, a FUSE one by its process.
constexpr std::array<std::string_view, 20> kTelling{
    "bcachefs", "btrfs", "erofs", "exfat",    "ext2",     "ext3",  "ext4", "f2fs", "iso9660", "jfs",
    "nilfs2",   "ntfs3", "ramfs", "reiserfs", "squashfs", "tmpfs", "udf",  "vfat", "xfs",     "zfs"};
// A longer table is not read, and then no file system is relied on.
constexpr std::size_t kTableMax = 1 << 20;

// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" (proc_pid_mountinfo(5))
bool is_telling(std::string_view line) {
  constexpr std::string_view kSeparator = " - ";
  const std::size_t separator = line.find(kSeparator);
  if (separator == std::string_view::npos) return false;
  const std::string_view rest = line.substr(separator + kSeparator.size());
  return std::find(kTelling.begin(), kTelling.end(), rest.substr(0, rest.find(' '))) != kTelling.end();
}

}  // namespace

bool look_unsynced(int fd, struct statx& known) {
  constexpr unsigned kWanted = STATX_TYPE | STATX_INO | STATX_MNT_ID;
  return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, kWanted, &known) == 0;
}

KernelMounts::KernelMounts() : mountinfo_(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) {}

bool KernelMounts::tells(const struct statx& known) {
  if ((known.stx_mask & STATX_MNT_ID) == 0) return false;
  if (!known_) read();
  return std::binary_search(telling_.begin(), telling_.end(), known.stx_mnt_id);
}

void KernelMounts::read() {
  telling_.clear();
  std::string table;
  for (std::size_t size = 0;;) {
    table.resize(size + 16 * 1024);
    const ssize_t got = pread(fd(), table.data() + size, table.size() - size, static_cast<off_t>(size));
    if (got < 0 || size > kTableMax) {
      known_ = true;  // an empty table: nothing is relied on
      return;
    }
    size += static_cast<std::size_t>(got);
    if (got > 0) continue;
    table.resize(size);
    break;
  }
  std::string_view rest = table;
  while (!rest.empty()) {
    const std::string_view line = take_part(rest, '\n');
    if (is_telling(line)) telling_.push_back(leading_number(line));
  }
  std::sort(telling_.begin(), telling_.end());
  known_ = true;
}

}  // namespace sluice::files
