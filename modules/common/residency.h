// Whether a range of a file lies in memory, so that reading or sending it will not wait for a disk. Never
// blocks. Loop thread.
#pragma once

#include <cstdint>

#include "common/open_file.h"

namespace sluice::files {

enum class Residency {
  resident,
  absent,
  unknown,  // the file system cannot tell: let a thread read it
};

// Judged by what the page cache knows of all of it, and by bytes here and there. A range past the end counts as
// resident: using it tells.
Residency residency(OpenFile& file, std::uint64_t offset, std::uint64_t size);

}  // namespace sluice::files
