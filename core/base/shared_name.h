// The names of what workers share, as numbers of equal size. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace sluice {

// The two halves are independent. `tag` tells names apart, `place` says where in a table one is.
struct SharedName {
  // Tables mark entries that are being written by this bit of their tags.
  static constexpr std::uint64_t kMark = std::uint64_t{1} << 63;

  std::uint64_t tag = 0;
  std::uint64_t place = 0;

  // As tables write it: without the mark, and not 0, which means free.
  std::uint64_t entry() const {
    const std::uint64_t unmarked = tag & ~kMark;
    return unmarked == 0 ? 1 : unmarked;
  }
};

// Makes names of texts, by XXH3 in 128 bits with a secret of random bytes. So no client can choose texts that
// fall into one place. Forked processes have the same secret.
class SharedNames {
 public:
  static Result<SharedNames> make();

  SharedName of(std::string_view text) const;
  // Of a text in a space of its own: the same text has other names in other spaces.
  SharedName within(const SharedName& space, std::string_view text) const {
    const SharedName name = of(text);
    return {name.tag ^ space.tag, name.place ^ space.place};
  }

 private:
  std::array<unsigned char, 192> secret_{};
};

}  // namespace sluice
