// The files in the folder of modules: which there are, and whether one has changed. Keeps nothing. Any thread
// that may wait for the folder's disk.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace sluice {

// Tells a file's content from its earlier and later ones: every change of the file changes it (inode(7)).
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  bool operator==(const FileStamp&) const = default;
};

FileStamp stamp_of(const struct stat& status);
// Nothing where there is no such file.
std::optional<FileStamp> stamp_of(const std::string& path);

// The "*.so" of the folder, sorted.
Result<std::vector<std::string>> list_modules(const std::string& folder);
// A name that list_modules would list.
bool is_module_file(std::string_view name);
// Whether the file is gone. A folder that is away for a while, or cannot be read, takes no module along.
bool is_gone(const std::string& folder, const std::string& file);

}  // namespace sluice
