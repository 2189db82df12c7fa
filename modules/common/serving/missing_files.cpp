#include "common/serving/missing_files.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>

#include "common/files/local_disks.h"
#include "common/files/open_beneath.h"

namespace sluice::files {
namespace {

enum class Wanted { folder, file };

// A description of the fault. Empty if there is none, or if it cannot be known.
std::string fault_of(const Folder& root, std::string path, Links links, Wanted wanted) {
  FileFacts facts;
  if (path.ends_with('/'))
    path.pop_back();  // with the slash, a file in the folder's place would count as missing
  const int error = look_beneath(root.fd, path.empty() ? "." : path.c_str(), Resolve::may_block, links, facts);
  if (error == ENOENT || error == ENOTDIR) return "does not exist";
  if (error == EXDEV) return "leads out of the root by a symbolic link";
  if (error != 0) return "";
  if (wanted == Wanted::folder) return facts.is_folder() ? "" : "is not a folder";
  return facts.is_regular() ? "" : "is not a file";
}

// The path as a person knows it, without the parts that are unknown.
std::string full_path(const Folder& root, const std::string& path) {
  char resolved[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(root.fd);
  const ssize_t size = ::readlink(link.c_str(), resolved, sizeof(resolved));
  std::string full = size > 0 ? std::string(resolved, static_cast<std::size_t>(size)) : "";
  if (!full.ends_with('/')) full += '/';
  full += path;
  if (full.size() > 1 && full.ends_with('/')) full.pop_back();
  return full;
}

}  // namespace

void warn_of_missing(Host& host, const FileOptions& options) {
  const Folder root = host.folder();
  if (!is_known_to_be_local(root.fd)) return;  // not local: a server that hangs would hold up the start
  const std::string base = std::string(std::string_view(root.path)) + options.release;
  const auto is_usable = [&](const char* does, const std::string& name, Wanted wanted, const char* remedy) {
    const std::string fault = fault_of(root, base + name, options.links, wanted);
    if (fault.empty()) return true;
    host.log(LogLevel::warning, does + full_path(root, base + name) + ", which " + fault + remedy);
    return false;
  };
  if (!is_usable("it serves ", "", Wanted::folder,
                 ": requests get 404 until the folder is made, or root= names another one"))
    return;
  if (!options.errors.empty())
    is_usable("errors= names ", options.errors, Wanted::folder,
              ": make the folder and put pages such as 404.html into it, or leave errors= out");
  if (!options.fallback.empty())
    is_usable("fallback= names ", options.fallback, Wanted::file, ": put a file there, or leave fallback= out");
}

}  // namespace sluice::files
