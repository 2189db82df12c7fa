// Warns, when a handler is made, of files and folders that its options name and that are missing. Without the
// warning the mount would answer 404, and nobody would see why.
#pragma once

#include <sluice/handler.h>

#include "common/serving/file_options.h"

namespace sluice::files {

// Checks the folder, errors= and fallback=. Asks the disk.
void warn_of_missing(Host& host, const FileOptions& options);

}  // namespace sluice::files
