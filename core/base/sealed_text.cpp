#include "base/sealed_text.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace sluice {
namespace {

#ifdef MFD_NOEXEC_SEAL
constexpr unsigned kNoCode = MFD_NOEXEC_SEAL;
#else
constexpr unsigned kNoCode = 8;  // Linux 6.3
#endif

}  // namespace

UniqueFd sealed_text(std::string_view text) {
  UniqueFd memory(::memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoCode));
  if (!memory && errno == EINVAL) memory.reset(::memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  while (memory && !text.empty()) {
    const ssize_t written = ::write(memory.get(), text.data(), text.size());
    if (written < 0 && errno != EINTR) return {};
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (memory &&
      ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    return {};
  return memory;
}

}  // namespace sluice
