// Whether a range of a file lies in memory, so that reading or sending it will not wait for a disk. Never
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

// preadv2(2) with RWF_NOWAIT, of one piece. EOPNOTSUPP also where the call itself is refused.
ssize_t read_nowait(int fd, void* into, std::size_t size, std::uint64_t offset);

inline constexpr std::uint64_t kProbeClosely = 64 * 1024;   // reads end out of order, but in large pieces
inline constexpr std::uint64_t kProbeWidely = 1024 * 1024;  // where nothing is known to be read at the time

// Between two bytes that tell of what lies between them: where holes split a file, each page may be read by
// itself.
std::uint64_t probe_step(const OpenFile& file, std::uint64_t wanted);

// Judged by what the page cache knows of all of it, and by one byte in so many. A range past the end counts as
// resident: using it tells.
Residency residency(OpenFile& file, std::uint64_t offset, std::uint64_t size,
                    std::uint64_t probe_every = kProbeClosely);

// How far the kernel has begun to read a file for one who reads it in order.
struct ReadingOn {
  std::uint64_t begun = 0;  // of all before
  std::uint64_t mark = 0;   // the page at whose use it begins with more; `begun`: none is known
};

// Has the kernel begin with some more, about `size` and not beyond `end`; how much is its own choice, and may
// be nothing. By its own readahead, as if the mark had been used: so it takes large pages, which costs a third
// of what readahead(2) does. May wait for the block map of a file that was not read before. Any thread.
void read_on(int fd, ReadingOn& reading, std::uint64_t size, std::uint64_t end);

}  // namespace sluice::files
