#include "settings/confined_places.h"

#include <sluice/abi.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <system_error>

#include "base/text.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// All workers may read these folders, and what takes a file's place there, too.
bool is_in_free_folder(const std::string& path) {
  std::error_code error;
  const std::string real = fs::canonical(path, error);
  return real.starts_with("/usr/share/zoneinfo/") || real.starts_with("/run/systemd/resolve/");
}

}  // namespace

std::set<std::string> named_folders(const MountSpec& mount) {
  std::set<std::string> folders;
  for (const auto& [name, value] : mount.options) {
    std::error_code error;
    if (!fs::is_regular_file(value, error)) continue;
    for (const fs::path& file : {fs::absolute(value, error), fs::canonical(value, error)}) {
      // A word may be the name of a file by chance, and below / the folder is everything.
      const bool alone = value.find('/') == std::string::npos || file.parent_path() == "/";
      folders.insert(alone ? file : file.parent_path());
    }
  }
  folders.erase("");
  return folders;
}

std::set<std::string> places_of_variables() {
  std::set<std::string> paths;
  for (const char* name : {"SSL_CERT_FILE", "SSL_CERT_DIR", "TZDIR"}) {
    const char* value = std::getenv(name);
    for (std::string_view rest = value == nullptr ? "" : value; !rest.empty();) {
      const std::string path(take_part(rest, ":"));  // OpenSSL takes several folders
      std::error_code error;
      if (!path.empty()) paths.insert(fs::absolute(path, error));
    }
  }
  return paths;
}

std::set<std::string> granted_places(const Settings& settings) {
  std::set<std::string> paths = places_of_variables();
  paths.insert("/etc/localtime");
  bool names = false;
  for (const Grant& grant : settings.grants) {
    paths.insert(grant.permissions.read.begin(), grant.permissions.read.end());
    paths.insert(grant.permissions.write.begin(), grant.permissions.write.end());
    names = names || grant.permissions.has(kNeedsNetwork);
  }
  if (names) paths.insert(std::begin(kFilesOfNames), std::end(kFilesOfNames));
  std::erase_if(paths, is_in_free_folder);
  return paths;
}

ConfinedPlace open_place(const std::string& path) {
  return {path, UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC))};
}

bool was_replaced(const std::vector<ConfinedPlace>& places, const std::string& path) {
  struct stat now {};
  struct stat before {};
  if (::stat(path.c_str(), &now) != 0) return false;
  const auto known = std::find_if(places.begin(), places.end(),
                                  [&](const ConfinedPlace& place) { return place.path == path; });
  return known == places.end() || ::fstat(known->fd.get(), &before) != 0 || now.st_ino != before.st_ino ||
         now.st_dev != before.st_dev;
}

}  // namespace sluice
