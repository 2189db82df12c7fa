// Opens what a path leads to beneath a folder, one component after the other, where openat2(2) does not help:
// it may be refused (filters of system calls answer ENOSYS or EPERM), and it refuses links that leave the
// folder and lead back into it, as absolute links do. Blocks. Any thread.
//
// Each step goes from a descriptor to a name that is not a link; the walk itself reads and follows links. So a
// rename meanwhile cannot lead it out of the folder.
#pragma once

#include "common/files/open_beneath.h"

namespace sluice::files {

inline constexpr int kLinksMax = 40;  // as the kernel's own walk (path_resolution(7))
inline constexpr int kTriesMax = 10;  // while renames race with a walk

// Like openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS, but links that lead back are followed. `flags`
// are open(2)'s.
Opened walk_beneath(int folder, const char* path, Links links, int flags);

}  // namespace sluice::files
