// The bytes of a private copy, of a module or of a library of its own. Waits for disks.
#pragma once

#include <string>

#include "base/error.h"

namespace sluice {

// Why a file has not been copied.
struct CopyFailure {
  Error error;
  bool of_place = false;  // not the file's, but that of the place for copies: other files fare no better
};

// Of the open file `from`, from where it stands, to `to`; `file` is what messages call it.
tl::expected<void, CopyFailure> copy_bytes(int from, int to, const std::string& file);

}  // namespace sluice
