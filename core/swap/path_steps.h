// The names that the kernel looks up when it follows a path, so that a change of any of them can be noticed.
// Stateless; waits for the disks of the path.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sluice {

struct PathStep {
  std::filesystem::path folder;  // free of symbolic links
  std::string name;
  bool is_link = false;
};

// Each folder and each symbolic link along the path, and last the file at its end. Behind a name that does not
// exist, the rest is taken as it is written.
std::vector<PathStep> steps_along(const std::filesystem::path& path);

}  // namespace sluice
