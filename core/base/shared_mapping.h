// Memory that a process shares with those it forks later. It is zero at first, and takes up no page that nobody
// has used. Any thread.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <memory>

#include "base/error.h"

namespace sluice {

template <typename Data>
struct UnmapShared {
  void operator()(Data* data) const { ::munmap(data, sizeof(Data)); }
};
template <typename Data>
using SharedMapping = std::unique_ptr<Data, UnmapShared<Data>>;

// REQUIRES: zeros are a valid Data, which needs no destructor.
template <typename Data>
Result<SharedMapping<Data>> map_shared(const char* refusal) {
  void* memory =
      ::mmap(nullptr, sizeof(Data), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return fail_errno(refusal, errno);
  return SharedMapping<Data>(static_cast<Data*>(memory));
}

}  // namespace sluice
