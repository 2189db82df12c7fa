// Opens the file or folder that a request names beneath a mount's folder, and nothing outside it. FIFOs,
// devices and sockets are not opened: opening a FIFO lets a waiting writer continue, and opening a device may
// start it. Any thread.
#pragma once

#include <cstdint>

#include "common/files/file_facts.h"
#include "common/files/owned_fd.h"

namespace sluice::files {

enum class Resolve {
  cached_only,  // for the loop: EAGAIN where a disk, or a server, would have to be asked
  may_block,    // for an offload thread
};

enum class Links { followed, refused };  // symbolic links inside the folder; those that lead out never are

struct Opened {
  OwnedFd fd;
  int error = 0;      // of errno(3), 0 when open
  FileFacts facts{};  // when open_beneath has opened it
  bool local = true;  // see local_disks.h; the loop asks nothing of what is not, and closes none of it
};

// What `path`, relative to `folder`, leads to; with O_NOFOLLOW a link at its end is looked at itself. 0, or an
// error of errno(3).
int look_beneath(int folder, const char* path, Resolve resolve, Links links, FileFacts& facts,
                 int extra_flags = 0);

// A regular file or a folder; ENXIO for anything else.
Opened open_beneath(int folder, const char* path, Resolve resolve, Links links = Links::followed,
                    int extra_flags = 0);

// The status of an answer to a request whose file could not be opened.
std::uint32_t status_of(int error);

}  // namespace sluice::files
