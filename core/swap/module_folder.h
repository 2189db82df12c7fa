// Lists the files in the folder of modules, and tells whether one has changed. Stateless. Any thread that may
// wait for the folder's disk.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace sluice {

// Identifies a version of a file: every change of the file changes its stamp (inode(7)).
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  bool operator==(const FileStamp&) const = default;
};

FileStamp stamp_of(const struct stat& status);
// nullopt if there is no such file.
std::optional<FileStamp> stamp_of(const std::string& path);

// The names that end in ".so", sorted.
Result<std::vector<std::string>> list_modules(const std::string& folder);
// Whether list_modules would list the name.
bool is_module_file(std::string_view name);
// Whether the file is gone from a folder that can be read. While the folder itself is missing, no file counts
// as gone.
bool is_gone(const std::string& folder, const std::string& file);

}  // namespace sluice
