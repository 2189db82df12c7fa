// The libraries that lie with a module, found by a run path with $ORIGIN in it. A private copy of the module
// lies elsewhere, so they are copied, too, and the copies tied to each other. That way a new generation has the
// libraries of now, where the dynamic linker would give it those that an older one has loaded.
#pragma once

#include <string>
#include <vector>

#include "module/private_copy.h"

namespace sluice {

// "/run/sluice-modules-x/hello.3.libs" of "/run/sluice-modules-x/hello.3.so".
std::string libraries_folder(const std::string& copy);

// Of a copy that nobody has loaded yet, for which `origins` are what $ORIGIN stands for, the first one that has
// the library. A copy of such a copy needs none. `file` is what messages call the module. Waits for disks.
tl::expected<void, CopyFailure> take_own_libraries(const std::string& copy, const std::string& file,
                                                   const std::vector<std::string>& origins);

}  // namespace sluice
