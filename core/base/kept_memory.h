// How much memory an object that is used again may keep for its next use. Any thread.
#pragma once

#include <cstddef>

namespace sluice {

// Frees the room of a string or vector when that is more than `capacity_max`; its content is lost. Swaps it,
// because assigning a short string to a long one copies it and keeps the long one's room.
template <typename Container>
void give_back_above(Container& container, std::size_t capacity_max) {
  if (container.capacity() > capacity_max) Container().swap(container);
}

}  // namespace sluice
