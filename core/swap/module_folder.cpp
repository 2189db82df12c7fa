#include "swap/module_folder.h"

#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <system_error>

#include "settings/serving_plan.h"

namespace sluice {

namespace fs = std::filesystem;

FileStamp stamp_of(const struct stat& status) {
  const auto nanoseconds = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return stamp_of(status);
}

Result<std::vector<std::string>> list_modules(const std::string& folder) {
  const auto opened =
      open_folder(folder, "the folder of modules", "make it, or name another one with --plugins");
  if (!opened) return Unexpected(opened.error());
  std::error_code error;
  std::vector<std::string> files;
  for (fs::directory_iterator entry(folder, error); entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (is_module_file(name)) files.push_back(name);
  }
  // An error of the iterator ends the loop, like the end of the folder.
  if (error) {
    return fail(fmt::format("cannot read the folder of modules {}: {}; name it with --plugins", folder,
                            error.message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool is_module_file(std::string_view name) {
  return name.size() > 3 && name.ends_with(".so") && name.front() != '.';
}

Result<std::vector<FoundModule>> find_modules(const std::vector<std::string>& folders) {
  std::map<std::string, std::string> folder_by_file;
  for (const std::string& folder : folders) {
    const auto files = list_modules(folder);
    if (!files) return Unexpected(files.error());
    for (const std::string& file : *files) folder_by_file.emplace(file, folder);
  }
  std::vector<FoundModule> found;
  found.reserve(folder_by_file.size());
  for (const auto& [file, folder] : folder_by_file) found.push_back({folder, file});
  return found;
}

std::optional<std::string> folder_of(const std::vector<std::string>& folders, const std::string& file) {
  for (const std::string& folder : folders) {
    const std::string path = fmt::format("{}/{}", folder, file);
    const bool is_gone = ::access(path.c_str(), F_OK) != 0 && errno == ENOENT && list_modules(folder);
    if (!is_gone) return folder;
  }
  return std::nullopt;
}

std::string folders_text(const std::vector<std::string>& folders) {
  return fmt::format("{}", fmt::join(folders, " or "));
}

}  // namespace sluice
