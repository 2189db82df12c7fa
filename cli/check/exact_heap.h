// The C library keeps freed pieces for each thread and counts them as in use, so that a module that frees
// everything seems to leak.
#pragma once

namespace sluice::cli {

// Starts the program anew without that where it is `sluice check`. Returns where nothing is to be done, or that
// is not possible: then small leaks may be found that are none. `arguments` are main's.
void count_heap_exactly(char** arguments);

}  // namespace sluice::cli
