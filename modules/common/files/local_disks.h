// Tells which files lie on file systems of this machine. On others (NFS, FUSE, ...) each call may wait for a
// server that hangs, even a call that promises not to wait, so the loop makes none there. Any thread.
//
// The table of mounts tells, without asking a file system. When mounts have changed, a thread reads it again;
// until then no file counts as local.
#pragma once

#include <string_view>

namespace sluice::files {

// Reads the table of mounts if it is unknown or has changed.
void learn_mounts();
// For the loop: never waits. `fd` may be of O_PATH.
bool is_known_to_be_local(int fd);
// Learns the mounts first. For offload threads.
bool find_out_whether_local(int fd);

// Whether a type of file system, as named in /proc/self/mountinfo, keeps its files on this machine.
bool is_local_type(std::string_view type);

}  // namespace sluice::files
