// The folders and links along a path are those that the kernel follows.
#include "swap/path_steps.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_folder.h"

using namespace sluice;
namespace fs = std::filesystem;

namespace {

// The steps below the folder: "NAME", "LINK@".
std::vector<std::string> steps(const test::TempFolder& folder, const std::string& path) {
  std::vector<std::string> texts;
  for (const PathStep& step : steps_along(path)) {
    const std::string whole = (step.folder / step.name).string();
    if (whole.starts_with(folder.path + "/"))
      texts.push_back(whole.substr(folder.path.size() + 1) + (step.is_link ? "@" : ""));
  }
  return texts;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("each folder, link and file is a step", "[path_steps]") {
  const test::TempFolder folder;
  fs::create_directories(folder / "archive/one");
  fs::create_directories(folder / "live");
  folder.write("archive/one/a.pem", "");
  fs::create_symlink("../archive/one/a.pem", folder / "live/a.pem");
  fs::create_directory_symlink(folder / "live", folder / "now");
  CHECK(steps(folder, folder / "archive/one/a.pem") == Texts{"archive", "archive/one", "archive/one/a.pem"});
  CHECK(steps(folder, folder / "now/./a.pem") ==
        Texts{"now@", "live", "live/a.pem@", "archive", "archive/one", "archive/one/a.pem"});
  CHECK(steps(folder, folder / "none/b.pem") == Texts{"none", "none/b.pem"});
}

TEST_CASE("a ring of links ends", "[path_steps]") {
  const test::TempFolder folder;
  fs::create_symlink("b", folder / "a");
  fs::create_symlink("a", folder / "b");
  CHECK(steps(folder, folder / "a").size() <= 50);
}
