// Lists the files in the folders of modules, and tells whether one has changed. Stateless. Any thread that may
// wait for the folders' disks.
//
// Folders stand in the order of their precedence: a file hides the files of its name in folders behind its own.
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

struct FoundModule {
  std::string folder;
  std::string file;

  bool operator==(const FoundModule&) const = default;
};

// The names that end in ".so", sorted.
Result<std::vector<std::string>> list_modules(const std::string& folder);
// Those of all folders that no other file hides, sorted by their names.
Result<std::vector<FoundModule>> find_modules(const std::vector<std::string>& folders);
// Whether list_modules would list the name.
bool is_module_file(std::string_view name);
// The folder whose file of that name hides the others. nullopt if the file is gone from all of them. A folder
// that cannot be read may have it: then that folder.
std::optional<std::string> folder_of(const std::vector<std::string>& folders, const std::string& file);
// For sentences: "plugins.d", or "/etc/sluice/plugins.d or /usr/lib/sluice/plugins.d".
std::string folders_text(const std::vector<std::string>& folders);

}  // namespace sluice
