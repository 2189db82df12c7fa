// Whether a range of a file is in memory, so that reading or sending it will not wait for a disk. Never
// blocks. Loop thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "common/files/open_file.h"

namespace sluice::files {

enum class Residency {
  resident,
  absent,
  unknown,  // the file system cannot tell: let a thread read it
};

// preadv2(2) with RWF_NOWAIT, with one buffer. EOPNOTSUPP also if the call itself is refused.
ssize_t read_nowait(int fd, void* into, std::size_t size, std::uint64_t offset);

inline constexpr std::uint64_t kProbeClosely =
    64 * 1024;  // close enough for reads under way, which end out of order, but in large pieces
inline constexpr std::uint64_t kProbeWidely =
    1024 * 1024;  // for when no read of the file is known to be under way

// The distance between two probed bytes that stand for all between them. In a file with holes that is one
// page, because each page may be read by itself.
std::uint64_t probe_step(const OpenFile& file, std::uint64_t wanted);

// Asks the page cache about the whole range, and probes single bytes of it. A range past the end counts as
// resident: using it will show that.
Residency residency(OpenFile& file, std::uint64_t offset, std::uint64_t size,
                    std::uint64_t probe_every = kProbeClosely);

// How far the kernel has begun to read a file on behalf of one reader who goes from front to back.
struct ReadingOn {
  std::uint64_t begun = 0;  // the kernel has begun with everything before
  std::uint64_t mark =
      0;  // using this page makes it begin with more; equal to `begun` if no such page is known
};

// Has the kernel begin to read more, about `size` and not beyond `end`. The kernel chooses how much, and may
// choose nothing. This works by the kernel's own readahead, as if the mark had been used: it then takes large
// pages, which costs a third of what readahead(2) costs. May wait for the block map of a file that was not
// read before. Any thread.
void read_on(int fd, ReadingOn& reading, std::uint64_t size, std::uint64_t end);

}  // namespace sluice::files
