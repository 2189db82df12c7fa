#include "base/shared_name.h"

// Compiled in here, so that the program needs no library beside it.
#define XXH_INLINE_ALL
#include <sys/random.h>
#include <xxhash.h>

#include <cerrno>

namespace sluice {

Result<SharedNames> SharedNames::make() {
  SharedNames names;
  static_assert(sizeof(names.secret_) >= XXH3_SECRET_SIZE_MIN);
  // Up to 256 bytes come whole (getrandom(2)).
  if (::getrandom(names.secret_.data(), names.secret_.size(), 0) != static_cast<ssize_t>(names.secret_.size()))
    return fail_errno("there are no random numbers for what workers share", errno);
  return names;
}

SharedName SharedNames::of(std::string_view text) const {
  const XXH128_hash_t made = XXH3_128bits_withSecret(text.data(), text.size(), secret_.data(), secret_.size());
  return {made.low64, made.high64};
}

}  // namespace sluice
