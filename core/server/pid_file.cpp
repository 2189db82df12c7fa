#include "server/pid_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/core.h>
#include <cerrno>
#include <cstdio>

#include "base/unique_fd.h"

namespace sluice {
namespace {

std::string own_line() {
  return fmt::format("{}\n", ::getpid());
}

}  // namespace

PidFile::~PidFile() {
  if (path_.empty()) return;
  const UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  char text[32];
  const ssize_t got = file ? ::read(file.get(), text, sizeof(text)) : -1;
  if (got > 0 && std::string(text, static_cast<std::size_t>(got)) == own_line()) ::unlink(path_.c_str());
}

// Through a draft, so that nobody reads half a number.
Result<void> PidFile::write(const std::string& path) {
  const std::string draft = path + "~";
  ::unlink(draft.c_str());
  const UniqueFd file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  const std::string line = own_line();
  if (!file || ::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
      ::rename(draft.c_str(), path.c_str()) != 0) {
    const int error_number = errno;
    if (file) ::unlink(draft.c_str());
    return fail_errno(fmt::format("the file {} of --pid-file cannot be written", path), error_number);
  }
  path_ = path;
  return {};
}

}  // namespace sluice
