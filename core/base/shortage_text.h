// Whether a sentence says that something has run out: descriptors, memory, processes, room on a disk. What
// failed for want of it may succeed later. The sentence may come from another process. Any thread.
#pragma once

#include <string_view>

namespace sluice {

bool tells_of_shortage(std::string_view sentence);

}  // namespace sluice
