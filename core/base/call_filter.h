// A filter of system calls (seccomp(2)), made by libseccomp. It lets pass what a server and its modules need,
// and answers all other calls with an error, so that a process goes on. It holds for all threads of the process
// and for its children, for good.
//
// - Calls that a permission would let pass fail with EACCES.
// - Calls that the kernel of the server's time did not have fail with ENOSYS, so that libraries try older ones.
// - All others fail with EPERM.
// - Those that only an attack makes end the process by SIGSYS: reaching into other processes, loading code
//   into the kernel, mounting, and calls of another architecture.
#pragma once

#include "base/error.h"

namespace sluice {

struct CallPermissions {
  bool connect = false;       // sockets of IPv4 and IPv6
  bool listen = false;        // at addresses of IPv4 and IPv6
  bool unix_sockets = false;  // connect to and listen at Unix sockets
  bool processes = false;     // make processes, execute programs, send them signals
  bool files = false;         // make, rename and remove files, and change their attributes
  bool code = false;          // files in memory, which can become code
};

// Whether the kernel can filter calls.
bool calls_can_be_filtered();

// Needs no_new_privs. The process has to stay the same: it may send signals to itself alone.
Result<void> filter_calls(const CallPermissions& permissions);

}  // namespace sluice
