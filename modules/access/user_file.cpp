#include "access/user_file.h"

#include <fcntl.h>
#include <sys/inotify.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "common/files/owned_fd.h"

namespace sluice::access {
namespace {

constexpr std::uint64_t kSizeMax = 4 << 20;
// The file itself is watched, too: it may be a link into another folder.
constexpr std::uint32_t kOfFolder =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t kOfFile = IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

UserFile failed(const std::string& mistake) {
  UserFile file;
  file.mistake = mistake;
  return file;
}

UserFile refused(const std::string& path, int error) {
  if (error == ENOENT) return failed(path + " is missing: make it with 'htpasswd -B -c FILE NAME'");
  if (error == EACCES) {
    return failed(
        path +
        " may not be read by the server's workers: change its group or mode, and name it with its folder, "
        "as in /etc/sluice/users");
  }
  return failed(path + " cannot be read: " + std::strerror(error));
}

// The error of errno(3), or 0.
int read_text(int fd, std::string& text) {
  for (std::size_t filled = 0;;) {
    text.resize(filled + 64 * 1024);
    const ssize_t got = read(fd, text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    filled += got > 0 ? static_cast<std::size_t>(got) : 0;
    text.resize(filled);
    if (got <= 0 || filled > kSizeMax) return got < 0 ? errno : 0;
  }
}

}  // namespace

UserFile read_user_file(const std::string& path, const UserFile& known, int inotify) {
  // First, so that no change falls between the reading and the watch. Both stay the same for what is watched.
  if (inotify >= 0) {
    inotify_add_watch(inotify, folder_of(path).c_str(), kOfFolder);
    inotify_add_watch(inotify, path.c_str(), kOfFile);
  }
  const files::OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return refused(path, errno);
  UserFile file;
  if (const int error = files::read_facts(fd.get(), file.facts); error != 0) return refused(path, error);
  if (!file.facts.is_regular()) return failed(path + " is no regular file: name an htpasswd file");
  if (!known.young && file.facts == known.facts) return known;
  file.young = files::file_is_young(file.facts, files::wall_seconds());
  std::string text;
  if (const int error = read_text(fd.get(), text); error != 0) return refused(path, error);
  if (text.size() > kSizeMax) {
    file.mistake = path + " has more than 4 MiB: split it";
    return file;
  }
  try {
    file.users = std::make_shared<const UserList>(text, path);
  } catch (const std::runtime_error& mistake) {
    file.mistake = mistake.what();
  }
  return file;
}

}  // namespace sluice::access
