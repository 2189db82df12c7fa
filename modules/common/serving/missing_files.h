// What a mount of files is told to use and cannot find, said when its handler is made: such a mount answers
// 404, and nobody sees why.
#pragma once

#include <sluice/handler.h>

#include "common/serving/file_options.h"

namespace sluice::files {

// Warns of the folder, of errors= and of fallback=. Asks the disk.
void warn_of_missing(Host& host, const FileOptions& options);

}  // namespace sluice::files
