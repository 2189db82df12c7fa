#include "common/serving/open_faults.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace sluice::files {
namespace {

std::string user_name() {
  std::array<char, 4096> texts;
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(geteuid(), &entry, texts.data(), texts.size(), &found);
  return found != nullptr ? found->pw_name : "with the ID " + std::to_string(geteuid());
}

std::string path_of(int folder) {
  std::array<char, PATH_MAX> path;
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(folder)).c_str(), path.data(), path.size());
  return size <= 0 ? std::string(".") : std::string(path.data(), static_cast<std::size_t>(size));
}

// The first part of the path that cannot be reached.
struct Fault {
  std::string before = ".";  // the last part that can be reached, and what it is
  FileFacts facts{};
  std::string part;
  int error = 0;  // 0: all of them can be reached
};

Fault find_fault(int folder, const std::string& path, Links links) {
  Fault fault;
  for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
    fault.part = path.substr(0, end);
    FileFacts facts;
    if (!fault.part.empty())
      fault.error = look_beneath(folder, fault.part.c_str(), Resolve::may_block, links, facts);
    if (fault.error != 0 || end == std::string::npos) return fault;
    fault.before = fault.part;
    fault.facts = facts;
  }
}

std::string name_at(int folder, const std::string& part) {
  return path_of(folder) + (part == "." ? "" : "/" + part);
}

std::string last_name(const std::string& part) {
  return part.substr(part.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace

RefusedPlace find_refused(int folder, const std::string& path, Links links) {
  const Fault fault = find_fault(folder, path, links);
  const bool is_on_the_way = fault.error == EACCES || fault.error == EPERM;
  std::string name = name_at(folder, is_on_the_way ? fault.before : fault.part);
  std::string sentence =
      "the user " + user_name() + " may not " + (is_on_the_way ? "enter the folder " : "read ") + name;
  return {std::move(name), std::move(sentence)};
}

std::string why_not_opened(int folder, const std::string& path, Links links, int error) {
  if (error == EACCES || error == EPERM) return find_refused(folder, path, links).sentence;
  const Fault fault = find_fault(folder, path, links);
  switch (fault.error) {
    case ENOENT:
      return name_at(folder, fault.before) + " has no '" + last_name(fault.part) + "'";
    case ENOTDIR:
      return name_at(folder, fault.before) + " is no folder";
    case EXDEV:
      return name_at(folder, fault.part) + " is a symbolic link that leads out of " + path_of(folder);
    case ELOOP:
      return name_at(folder, fault.part) + (links == Links::refused
                                                ? " is a symbolic link, and links=off follows none"
                                                : " is a symbolic link that leads to too many others");
    case 0:
      if (error == ENXIO || error == ENODEV) return name_at(folder, path) + " is neither a file nor a folder";
      break;
    default:
      error = fault.error;
  }
  return name_at(folder, path) + ": " + std::strerror(error);
}

}  // namespace sluice::files
