// Opens what a path leads to beneath a folder, one component after the other, for what openat2(2) does not do:
// where it is refused (seccomp filters answer ENOSYS or EPERM), and for links that leave the folder and lead
// back into it, as absolute ones do. Blocks. Any thread.
//
// Each step is from a descriptor to a name that is no link; links are read and followed here. So a rename
// meanwhile leads nowhere else.
#pragma once

#include "common/files/open_beneath.h"

namespace sluice::files {

// As openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS, but for such links. `flags` are open(2)'s.
Opened walk_beneath(int folder, const char* path, Links links, int flags);

}  // namespace sluice::files
