#include "base/shared_name.h"

// Compiled in here, so that the program needs no library beside it.
#define XXH_INLINE_ALL
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>

#include "base/unique_fd.h"

namespace sluice {
namespace {

// Up to 256 bytes come whole (getrandom(2)). A filter of system calls may refuse that.
template <typename Byte>
bool fill_with_random(Byte* bytes, std::size_t size) {
  if (::getrandom(bytes, size, 0) == static_cast<ssize_t>(size)) return true;
  const UniqueFd device(::open("/dev/urandom", O_RDONLY | O_CLOEXEC));
  return device && ::read(device.get(), bytes, size) == static_cast<ssize_t>(size);
}

}  // namespace

Result<SharedNames> SharedNames::make() {
  SharedNames names;
  static_assert(sizeof(names.secret_) >= XXH3_SECRET_SIZE_MIN);
  if (!fill_with_random(names.secret_.data(), names.secret_.size()))
    return fail_errno("there are no random numbers for what workers share", errno);
  return names;
}

SharedName SharedNames::of(std::string_view text) const {
  const XXH128_hash_t made = XXH3_128bits_withSecret(text.data(), text.size(), secret_.data(), secret_.size());
  return {made.low64, made.high64};
}

}  // namespace sluice
