// Opens the file or folder that a request names beneath a mount's folder, and nothing outside of it. It does
// not open FIFOs, devices and sockets: opening a FIFO lets a waiting writer continue, and opening a device
// may start it. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "common/files/file_facts.h"
#include "common/files/owned_fd.h"

namespace sluice::files {

enum class Resolve {
  cached_only,  // for the loop: EAGAIN if a disk or a server would have to be asked
  may_block,    // for an offload thread
};

enum class Links {
  followed,
  refused
};  // symbolic links inside the folder; links that lead out are always refused

struct Opened {
  OwnedFd fd;
  int error = 0;      // of errno(3), 0 when open
  FileFacts facts{};  // filled by open_beneath alone
  bool local = true;  // see local_disks.h; the loop neither asks nor closes a file that is not
};

// Describes what `path`, relative to `folder`, leads to; with O_NOFOLLOW, the link itself at the end of it.
// Returns 0, or an error of errno(3).
int look_beneath(int folder, const char* path, Resolve resolve, Links links, FileFacts& facts,
                 int extra_flags = 0);

// Opens a regular file or a folder; ENXIO for anything else.
Opened open_beneath(int folder, const char* path, Resolve resolve, Links links = Links::followed,
                    int extra_flags = 0);

// The path of a descriptor, without links and dots; empty if it has none.
std::string real_path(int fd);

// The status of the answer when the file could not be opened.
std::uint32_t status_of(int error);

}  // namespace sluice::files
