#include "swap/path_steps.h"

#include <deque>
#include <system_error>

namespace sluice {
namespace {

namespace fs = std::filesystem;

// The kernel does not follow more links on one path, either (path_resolution(7)).
constexpr unsigned kLinksMax = 40;

}  // namespace

std::vector<PathStep> steps_along(const fs::path& path) {
  std::vector<PathStep> steps;
  std::error_code error;
  fs::path here = path.is_absolute() ? fs::path("/") : fs::current_path(error);
  std::deque<fs::path> rest(path.begin(), path.end());
  for (unsigned links = 0; !rest.empty() && links <= kLinksMax;) {
    const fs::path name = rest.front();
    rest.pop_front();
    if (name.empty() || name == "." || name == "/") continue;
    if (name == "..") {
      here = here.parent_path();
      continue;
    }
    const fs::path target = fs::read_symlink(here / name, error);
    steps.push_back({here, name.string(), !error});
    if (error) {
      here /= name;
      continue;
    }
    ++links;
    if (target.is_absolute()) here = "/";
    rest.insert(rest.begin(), target.begin(), target.end());
  }
  return steps;
}

}  // namespace sluice
