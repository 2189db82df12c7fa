// Codes content with an earlier version of it as the dictionary: Dictionary-Compressed Zstandard, "dcz" (RFC
// 9842 section 5). For an offload thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::compress {

// Empty unless that takes fewer than `size_max` bytes. `hash` is the dictionary's SHA-256. With both of 4 MB
// libzstd took 7 MiB, and 0.2 s. Throws std::runtime_error with what libzstd says, or std::bad_alloc. REQUIRES:
// both lie apart, and have at most 4 MiB, so that the whole dictionary lies in the window until the content
// ends, and the window within the 8 MiB that each client decodes.
std::string code_delta(std::string_view dictionary, std::string_view hash, std::string_view content,
                       std::size_t size_max);

}  // namespace sluice::compress
