#include "module/private_copy.h"

#include <sys/sendfile.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "module/module_source.h"

namespace sluice {
namespace {

constexpr std::size_t kPiece = 1024 * 1024;

}  // namespace

tl::expected<void, CopyFailure> copy_bytes(int from, int to, const std::string& file) {
  for (std::int64_t copied = 0; copied <= kModuleBytesMax;) {
    const ssize_t moved = ::sendfile(to, from, nullptr, kPiece);
    if (moved == 0) return {};
    if (moved < 0 && errno != EINTR) {
      // A full disk, a quota, a limit of file sizes, a read-only disk (write(2)). Other errors are of the file.
      const bool of_place = errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EROFS;
      return tl::make_unexpected(
          CopyFailure{{file + " cannot be copied to a private place: " + std::strerror(errno)}, of_place});
    }
    if (moved > 0) copied += moved;
  }
  return tl::make_unexpected(
      CopyFailure{{file + " grows while it is copied: write it outside of the folder and move it in"}});
}

}  // namespace sluice
