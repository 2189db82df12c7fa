// A folder of files with old times, served by both file modules.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "support/module_rig.h"
#include "support/temp_folder.h"

namespace sluice::test {

struct FileSite {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  using Options = std::map<std::string, std::string>;

  std::string module = GENERATE("static_sendfile", "dynamic_aio");
  TempFolder folder;
  ModuleRig rig{SLUICE_TEST_PLUGINS "/" + module + ".so"};

  void write(const std::string& name, const std::string& content, int age_s = 100) {
    const std::filesystem::path path = folder.path + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    folder.write(name, content);
    const timespec then{time(nullptr) - age_s, 0};
    const timespec times[2] = {then, then};
    REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  }
  void mount(const Options& options) { rig.mount(folder.path, options); }
  Answer ask(const std::string& path, const Fields& fields = {}, Method method = Method::get) {
    RequestPlan plan;
    plan.path = path;
    plan.fields = fields;
    plan.method = method;
    return rig.run(std::move(plan));
  }
};

}  // namespace sluice::test
