// Makes the C library count freed memory exactly. By default it keeps freed pieces for each thread and counts
// them as used, so that a module that frees everything seems to leak.
#pragma once

namespace sluice::cli {

// If this is `sluice check`, starts the program anew with such counting. Returns if there is nothing to do,
// or if that fails: then small leaks may be reported that are none. `arguments` are main's.
void count_heap_exactly(char** arguments);

}  // namespace sluice::cli
