// The warnings of a mount of files, when it is made, about files and folders that are missing.
#include "common/serving/missing_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/files/local_disks.h"
#include "support/fake_host.h"
#include "support/temp_folder.h"

using namespace sluice;
using namespace sluice::files;
using sluice::test::FakeHost;
using sluice::test::FakeServer;
using sluice::test::HostPlan;
using sluice::test::TempFolder;

namespace {

struct Said {
  TempFolder folder;
  FakeServer server;

  Said() { learn_mounts(); }  // a mount of files learns them first, too

  // The warnings for this path below the folder.
  std::vector<std::string> warnings(const std::string& path, const std::map<std::string, std::string>& given) {
    const int fd = ::open(folder.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    HostPlan plan;
    plan.mount = "/m/";
    plan.folder_fd = fd;
    plan.folder_path = path;
    for (const OptionInfo& option : kFileOptions) plan.options[option.name] = option.fallback;
    for (const auto& [name, value] : given) plan.options[name] = value;
    server.logs.clear();
    FakeHost host(server, plan);
    warn_of_missing(host, FileOptions(host));
    ::close(fd);
    std::vector<std::string> said;
    for (const auto& [level, line] : server.logs) {
      CHECK(level == LogLevel::warning);
      said.push_back(line);
    }
    return said;
  }
};

}  // namespace

TEST_CASE_METHOD(Said, "a mount that finds everything warns of nothing", "[files]") {
  std::filesystem::create_directories(folder / "docs/pages");
  folder.write("docs/app.html", "the app");
  CHECK(warnings("", {}).empty());
  CHECK(warnings("docs/", {{"errors", "pages"}, {"fallback", "app.html"}}).empty());
}

TEST_CASE_METHOD(Said, "a missing folder gives a warning, but not the files that would be in it", "[files]") {
  CHECK(warnings("docs/", {{"errors", "pages"}, {"fallback", "app.html"}}) ==
        std::vector<std::string>{
            "it serves " + (folder / "docs") +
            ", which does not exist: requests get 404 until the folder is made, or root= names "
            "another one"});
  folder.write("docs", "a file");
  CHECK(warnings("docs/", {}).size() == 1);
}

TEST_CASE_METHOD(Said, "missing error pages and a missing fallback give warnings", "[files]") {
  CHECK(warnings("", {{"errors", "pages"}, {"fallback", "app.html"}}) ==
        std::vector<std::string>{"errors= names " + (folder / "pages") +
                                     ", which does not exist: make the folder and put pages such as 404.html "
                                     "into it, or leave errors= out",
                                 "fallback= names " + (folder / "app.html") +
                                     ", which does not exist: put a file there, or leave fallback= out"});
  folder.write("pages", "no folder");
  std::filesystem::create_directories(folder / "app.html");
  const auto said = warnings("", {{"errors", "pages"}, {"fallback", "app.html"}});
  REQUIRE(said.size() == 2);
  CHECK(said[0].find("which is not a folder") != std::string::npos);
  CHECK(said[1].find("which is not a file") != std::string::npos);
}
