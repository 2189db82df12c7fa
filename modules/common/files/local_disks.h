// Tells which files lie on file systems of this machine. On others (NFS, FUSE, ...) each call may wait for a
// server that hangs, even one that promises not to wait, so that the loop asks them nothing. Any thread.
//
// Known by the table of mounts, which asks no file system. A thread reads it again when mounts have changed;
// until then nothing is known to be local.
#pragma once

#include <string_view>

namespace sluice::files {

// Reads the table of mounts where it is not known, or has changed.
void learn_mounts();
// Never waits: for the loop. `fd` may be of O_PATH.
bool is_known_to_be_local(int fd);
// Learns the mounts first. For offload threads.
bool find_out_whether_local(int fd);

// Whether a type of file system, as /proc/self/mountinfo has it, keeps its files on this machine.
bool is_local_type(std::string_view type);

}  // namespace sluice::files
