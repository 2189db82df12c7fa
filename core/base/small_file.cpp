#include "base/small_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace sluice {
namespace {

std::string in_units(std::size_t size) {
  constexpr std::size_t kKibi = 1024;
  return size % (kKibi * kKibi) == 0 ? fmt::format("{} MiB", size / kKibi / kKibi)
                                     : fmt::format("{} KiB", size / kKibi);
}

}  // namespace

Result<SmallFile> SmallFile::open(const std::string& path, std::string subject, std::size_t size_max) {
  // Without O_NONBLOCK a pipe would wait for its writer.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about {};
  if (!fd || ::fstat(fd.get(), &about) != 0) return fail_errno(subject + " cannot be read", errno);
  if (!S_ISREG(about.st_mode)) return fail(subject + " is not a regular file: name one");
  const auto size = static_cast<std::size_t>(about.st_size);
  if (size > size_max) return fail(subject + " is larger than " + in_units(size_max) + ": name another one");
  return SmallFile(std::move(fd), std::move(subject), size, (about.st_mode & S_IROTH) != 0);
}

Result<void> SmallFile::read(char* to) const {
  for (std::size_t done = 0; done < size_;) {
    const ssize_t got = ::pread(fd_.get(), to + done, size_ - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(subject_ + " cannot be read", errno);
    if (got == 0) return fail(subject_ + " became shorter while it was read: try again");
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Result<std::string> SmallFile::read() const {
  std::string bytes(size_, '\0');
  return read(bytes.data()).map([&] { return std::move(bytes); });
}

}  // namespace sluice
