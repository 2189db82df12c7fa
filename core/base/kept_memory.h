// How much memory an object that is used again may keep for its next use. Any thread.
#pragma once

#include <cstddef>

namespace sluice {

// Frees what the string or vector has room for when that is more than `capacity_max`; what it holds goes, too.
// Swapped, not assigned: a short string that is moved into a long one is copied, and the long one's room stays.
template <typename Container>
void give_back_above(Container& container, std::size_t capacity_max) {
  if (container.capacity() > capacity_max) Container().swap(container);
}

}  // namespace sluice
