// Opens what a request names beneath a mount's folder, and nothing outside it, without ever waiting for a FIFO
// or a device. Any thread.
#pragma once

#include <cstdint>

#include "common/owned_fd.h"

namespace sluice::files {

enum class Resolve {
  cached_only,  // for the loop: EAGAIN where a disk would have to be asked
  may_block,    // for an offload thread
};

enum class Links { followed, refused };  // symbolic links inside the folder; those that lead out never are

struct Opened {
  OwnedFd fd;
  int error = 0;  // of errno(3), 0 when open
};

// `path` is relative to `folder`. Directories, FIFOs and devices are opened too: fstat tells.
Opened open_beneath(int folder, const char* path, Resolve resolve, Links links = Links::followed,
                    int extra_flags = 0);

// The status of an answer to a request whose file could not be opened.
std::uint32_t status_of(int error);

}  // namespace sluice::files
