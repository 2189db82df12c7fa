// The names of what workers share, as numbers of equal size. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace sluice {

// The two halves are independent. `tag` tells names apart, `place` says where in a table one is.
//
// An entry of a table is the lower bits of a tag. One that is being written is marked: it has the topmost bit,
// and below that the seat of the worker that writes it.
struct SharedName {
  static constexpr unsigned kSeatBits = 9;
  static constexpr unsigned kTagBits = 63 - kSeatBits;
  static constexpr std::uint64_t kMark = std::uint64_t{1} << 63;
  static constexpr std::uint64_t kTag = (std::uint64_t{1} << kTagBits) - 1;

  std::uint64_t tag = 0;
  std::uint64_t place = 0;

  // Not 0, which means free.
  std::uint64_t entry() const { return (tag & kTag) == 0 ? 1 : tag & kTag; }

  static bool is_marked(std::uint64_t entry) { return (entry & kMark) != 0; }
  static std::uint64_t marked(std::uint64_t entry, unsigned seat) {
    return (entry & kTag) | kMark | (std::uint64_t{seat} << kTagBits);
  }
  static std::uint64_t unmarked(std::uint64_t entry) { return entry & kTag; }
  // Who has marked it.
  static unsigned seat_of(std::uint64_t entry) { return static_cast<unsigned>((entry & ~kMark) >> kTagBits); }
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
