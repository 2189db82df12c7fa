#include "settings/processor_quota.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string_view>

#include "base/text.h"

namespace sluice {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<unsigned>::max();

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Microseconds in each period; "max" and -1 are no quota.
std::optional<std::uint64_t> processors(std::string_view quota, std::string_view period) {
  const auto of = parse_decimal(quota);
  const auto each = parse_decimal(period);
  if (!of || !each || *of == 0 || *each == 0) return std::nullopt;
  return (*of - 1) / *each + 1;
}

// Of one group: cpu.max of version 2, or the two files of version 1.
std::optional<std::uint64_t> quota_of(const std::string& folder) {
  const std::string line = first_line(folder + "/cpu.max");
  std::string_view left = line;
  const std::string_view quota = take_part(left, " ");
  if (!line.empty()) return processors(quota, left);
  return processors(first_line(folder + "/cpu.cfs_quota_us"), first_line(folder + "/cpu.cfs_period_us"));
}

// Whether version 1 accounts for processors in this hierarchy: "cpu,cpuacct".
bool has_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    if (take_part(controllers, ",") == "cpu") return true;
  }
  return false;
}

}  // namespace

std::optional<unsigned> processor_quota(const std::string& root) {
  std::ifstream groups(root + "/proc/self/cgroup");
  std::optional<std::uint64_t> least;
  for (std::string line; std::getline(groups, line);) {  // "0::/a/b", or "4:cpu,cpuacct:/a/b"
    std::string_view path = line;
    take_part(path, ":");
    const std::string controllers(take_part(path, ":"));
    if (!controllers.empty() && !has_cpu(controllers)) continue;
    const std::string hierarchy = root + "/sys/fs/cgroup" + (controllers.empty() ? "" : "/cpu");
    // A group of the host is not seen from within a container, but the container's own one is, at the top.
    for (;; path = path.substr(0, path.rfind('/'))) {
      const auto quota = quota_of(hierarchy + std::string(path));
      if (quota) least = std::min(least.value_or(*quota), *quota);
      if (path.find('/') == std::string_view::npos) break;
    }
  }
  return least ? std::optional(static_cast<unsigned>(std::min(*least, kMost))) : std::nullopt;
}

}  // namespace sluice
