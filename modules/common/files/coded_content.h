// Whether browsers can decode a file that was compressed beforehand. Reads the file, so it is for an offload
// thread. It neither uses nor moves the descriptor's offset.
#pragma once

#include <cstdint>

#include "common/http/content_coding.h"

namespace sluice::files {

// False for files that browsers are known to refuse:
//
// - zstd: a frame with a window above 8 MiB (RFC 9659), as `zstd --ultra -20` and `--long` make it, or one
//   that needs a dictionary. All frames are checked, by their heads and those of their blocks (RFC 8878
//   section 3).
// - brotli: a large window, as `brotli --large_window` makes it, which is not of RFC 7932.
//
// Files that are broken, or of another format, are not looked for.
bool browsers_decode(int fd, std::uint64_t size, Coding coding);

}  // namespace sluice::files
