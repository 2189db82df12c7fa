#include "module/module_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/log.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// Whether the user owns the program, or a folder on the way to it. That user could replace the program, so
// refusing their modules would protect nothing.
bool owns_program(uid_t user) {
  std::error_code error;
  fs::path path = fs::read_symlink("/proc/self/exe", error);
  for (; path.has_relative_path(); path = path.parent_path()) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && status.st_uid == user) return true;
  }
  return false;
}

// `what`: "hello.so", or a folder.
Result<void> check_owner(const struct stat& status, const std::string& what) {
  const uid_t user = status.st_uid;
  if (user == 0 || user == ::geteuid() || owns_program(user)) return {};
  return fail(
      fmt::format("{} belongs to user {}, who is neither root nor the user that started the server nor the "
                  "owner of the program: change the owner with chown, or no module is loaded from there",
                  what, user));
}

}  // namespace

// Users who may write the file decide what this server does. Write permission of the group is accepted: systems
// that give each user a group of their own create files with it.
Result<void> check_source(const struct stat& status, const std::string& file, bool open_to_all) {
  if (!S_ISREG(status.st_mode)) return fail(file + " is not a regular file: put a shared object there");
  if ((status.st_mode & S_IWOTH) != 0) {
    return fail(file + " may be written by everybody: remove that permission with chmod o-w");
  }
  // A hard link to a file elsewhere, which another user may have made: the owner did not put the file here.
  if (open_to_all && status.st_nlink > 1)
    return fail(file + " has several names in a folder that everybody may write: copy it there instead");
  if (status.st_size > kModuleBytesMax)
    return fail(file + " is larger than 64 MiB: remove its debugging symbols with strip --strip-debug");
  return check_owner(status, file);
}

Result<void> check_modules_folder(const std::string& folder) {
  const std::string what = "the folder of modules " + folder;
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) {
    return fail(fmt::format("cannot find the owner of {}: {}; name another folder with --plugins", what,
                            std::strerror(errno)));
  }
  return check_owner(status, what);
}

bool is_open_to_all(const std::string& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0;
}

void tell_of_open_folder(const std::string& folder) {
  if (!is_open_to_all(folder)) return;
  log(LogLevel::warning,
      fmt::format("the folder of modules {} may be written by everybody: files of other users in it are "
                  "refused, but they can remove modules; chmod o-w prevents that",
                  folder));
}

}  // namespace sluice
