// Whether what was compressed beforehand is something that browsers decode. For an offload thread: it reads the
// file. The descriptor's offset is neither used nor moved.
#pragma once

#include <cstdint>

#include "common/http/content_coding.h"

namespace sluice::files {

// False for what browsers are known to refuse:
//
// - zstd: a frame with a window above 8 MiB (RFC 9659), as `zstd --ultra -20` and `--long` make it, or one that
//   needs a dictionary. All frames are looked at, by their heads and those of their blocks (RFC 8878 section
//   3).
// - brotli: a large window, as `brotli --large_window` makes it, which is not of RFC 7932.
//
// What is broken or something else altogether is for whoever put it there to find, and is not looked for.
bool browsers_decode(int fd, std::uint64_t size, Coding coding);

}  // namespace sluice::files
