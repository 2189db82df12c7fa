#include "common/files/local_disks.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "common/files/owned_fd.h"
#include "common/http/text.h"

namespace sluice::files {
namespace {

// Where the file of a descriptor lies.
struct Place {
  std::uint64_t mount = 0;  // 0 if the kernel does not tell
  dev_t device = 0;
};

struct Table {
  bool is_read = false;  // /proc may be missing
  std::unordered_map<std::uint64_t, bool> by_mount;
  std::unordered_map<dev_t, bool> by_device;

  bool is_local(const Place& place) const {
    if (!is_read)
      return gnu_dev_major(place.device) != 0;  // on a block device; file systems of the network have none
    if (place.mount != 0) {
      const auto found = by_mount.find(place.mount);
      return found != by_mount.end() && found->second;
    }
    const auto found = by_device.find(place.device);
    return found != by_device.end() && found->second;
  }
};

// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" (proc(5))
void add_line(Table& table, std::string_view line) {
  const std::uint64_t mount = leading_number(take_part(line, ' '));
  take_part(line, ' ');
  const std::string_view device = take_part(line, ' ');
  const std::size_t colon = device.find(':');
  const std::size_t dash = line.find(" - ");
  if (colon == std::string_view::npos || dash == std::string_view::npos) return;
  line.remove_prefix(dash + 3);
  const bool local = is_local_type(take_part(line, ' '));
  table.by_mount[mount] = local;
  const dev_t number = gnu_dev_makedev(static_cast<unsigned>(leading_number(device.substr(0, colon))),
                                       static_cast<unsigned>(leading_number(device.substr(colon + 1))));
  table.by_device[number] = local;
}

class Mounts {
 public:
  bool is_known_to_be_local(const Place& place) {
    const std::lock_guard lock(mutex_);
    forget_if_changed();
    return table_ != nullptr && table_->is_local(place);
  }

  std::shared_ptr<const Table> learn() {
    constexpr int kTriesMax = 4;
    std::shared_ptr<const Table> table;
    for (int tries = 0; tries < kTriesMax; ++tries) {
      std::uint64_t changes = 0;
      {
        const std::lock_guard lock(mutex_);
        forget_if_changed();
        if (table_ != nullptr) return table_;
        changes = changes_;
      }
      table = read();
      const std::lock_guard lock(mutex_);
      forget_if_changed();
      if (changes == changes_) return table_ = table;
    }
    return table;  // not kept: the mounts have changed meanwhile
  }

 private:
  // The kernel reports each change once to each open file of mountinfo (proc(5)).
  void forget_if_changed() {
    pollfd changed{watch_.get(), POLLPRI, 0};
    if (!watch_ || poll(&changed, 1, 0) == 0) return;
    table_ = nullptr;
    ++changes_;
  }

  static std::shared_ptr<const Table> read() {
    auto table = std::make_shared<Table>();
    const OwnedFd file(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
    std::string text;
    std::array<char, 16 * 1024> piece;
    for (ssize_t got; file && (got = ::read(file.get(), piece.data(), piece.size())) > 0;) {
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
    table->is_read = !text.empty();
    for (std::string_view rest = text; !rest.empty();) add_line(*table, take_part(rest, '\n'));
    return table;
  }

  std::mutex mutex_;  // never held for long
  const OwnedFd watch_{open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)};
  std::shared_ptr<const Table> table_;  // null: unknown
  std::uint64_t changes_ = 0;           // how many changes were noticed
};

Mounts& mounts() {
  static Mounts all;
  return all;
}

// Does not ask a server, as fstat(2) would. False if the call is refused.
bool find_place(int fd, Place& place) {
  struct statx found {};
  if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &found) != 0) return false;
  if ((found.stx_mask & STATX_MNT_ID) != 0) place.mount = found.stx_mnt_id;
  place.device = gnu_dev_makedev(found.stx_dev_major, found.stx_dev_minor);
  return true;
}

}  // namespace

bool is_local_type(std::string_view type) {
  constexpr std::array<std::string_view, 30> kTypes = {
      "ext2",     "ext3",     "ext4",     "xfs",       "btrfs", "bcachefs", "f2fs",    "zfs",
      "jfs",      "reiserfs", "nilfs2",   "tmpfs",     "ramfs", "rootfs",   "overlay", "aufs",
      "squashfs", "erofs",    "cramfs",   "iso9660",   "udf",   "vfat",     "exfat",   "ntfs3",
      "hfsplus",  "minix",    "devtmpfs", "hugetlbfs", "proc",  "sysfs"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

void learn_mounts() {
  mounts().learn();
}

bool is_known_to_be_local(int fd) {
  Place place;
  return find_place(fd, place) && mounts().is_known_to_be_local(place);
}

bool find_out_whether_local(int fd) {
  Place place;
  if (!find_place(fd, place)) {
    struct stat status {};
    if (fstat(fd, &status) != 0) return false;
    place.device = status.st_dev;
  }
  return mounts().learn()->is_local(place);
}

}  // namespace sluice::files
