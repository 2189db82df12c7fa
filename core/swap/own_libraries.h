// Copies the libraries beside a module, which it finds by $ORIGIN in its run path. A private copy of the module
// lies elsewhere, so the libraries are copied, too, and the copies need each other by path. A new generation
// thus gets the present libraries; otherwise the dynamic linker would reuse those of an older generation.
#pragma once

#include <string>
#include <vector>

#include "module/private_copy.h"

namespace sluice {

// "/run/sluice-modules-x/hello.3.libs" of "/run/sluice-modules-x/hello.3.so".
std::string libraries_folder(const std::string& copy);

// Copies the libraries of a module's copy that was not loaded yet. $ORIGIN stands for the first of `origins`
// that has the library. For a copy of a copy, `origins` may be empty. `file` is the module's name in messages.
// Waits for disks.
tl::expected<void, CopyFailure> take_own_libraries(const std::string& copy, const std::string& file,
                                                   const std::vector<std::string>& origins);

}  // namespace sluice
