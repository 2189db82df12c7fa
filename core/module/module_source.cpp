#include "module/module_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/log.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// Whoever owns the program, or a folder on the way to it, could put another program in its place: refusing
// their modules would keep nobody out.
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
  return fail(what + " belongs to user " + std::to_string(user) +
              ", who is neither root nor the one who started the server nor the owner of the program: change "
              "that with chown, or no module is loaded from there");
}

}  // namespace

// Whoever may write the file decides what this server does. Groups are left out: where each user has a group of
// their own, a file that the group may write is the usual one.
Result<void> check_source(const struct stat& status, const std::string& file, bool open_to_all) {
  if (!S_ISREG(status.st_mode)) return fail(file + " is no regular file: put a shared object there");
  if ((status.st_mode & S_IWOTH) != 0) {
    return fail(file + " may be written by everybody: take that away with chmod o-w");
  }
  // Another name of a file elsewhere, which its owner has not put here.
  if (open_to_all && status.st_nlink > 1)
    return fail(file + " has several names in a folder that everybody may write: copy it there instead");
  if (status.st_size > kModuleBytesMax)
    return fail(file + " is larger than 64 MiB: take its debugging symbols away with strip --strip-debug");
  return check_owner(status, file);
}

Result<void> check_modules_folder(const std::string& folder) {
  const std::string what = "the folder of modules " + folder;
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) {
    return fail("cannot see whose " + what + " is: " + std::strerror(errno) + "; name another with --plugins");
  }
  return check_owner(status, what);
}

bool is_open_to_all(const std::string& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0;
}

void tell_of_open_folder(const std::string& folder) {
  if (!is_open_to_all(folder)) return;
  log(LogLevel::warning, "the folder of modules " + folder +
                             " may be written by everybody: files of strangers in it are refused, but they can "
                             "take modules away; chmod o-w would keep them out");
}

}  // namespace sluice
