// Linked into the programs of the coverage build, in which the linker leads each call of _exit(2) here. Workers
// and children end by it, and gcov's counts are otherwise written by exit(3) only.
#include <unistd.h>

#include <csignal>

extern "C" {

void __gcov_dump();
[[noreturn]] void __real__exit(int status);

[[noreturn]] void __wrap__exit(int status) {
  // A test may limit the size of files.
  ::signal(SIGXFSZ, SIG_IGN);
  __gcov_dump();
  __real__exit(status);
}
}
