// Copies the bytes of a module, or of a library of its own, to a private copy. Waits for disks.
#pragma once

#include <string>

#include "base/error.h"

namespace sluice {

// Why a file has not been copied.
struct CopyFailure {
  Error error;
  bool of_place = false;  // the place for copies is at fault, so copying other files would fail, too
};

// Copies from the offset of `from` on to the offset of `to`. Both are open; `file` is the name in messages.
tl::expected<void, CopyFailure> copy_bytes(int from, int to, const std::string& file);

}  // namespace sluice
