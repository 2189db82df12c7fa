// A folder with a file and two folders, served by both file modules, and a user who may be refused files.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

#include "support/module_rig.h"
#include "support/temp_folder.h"

namespace sluice::test {

struct PlainSite {
  std::string module = GENERATE("static_sendfile", "dynamic_aio");
  TempFolder folder;
  ModuleRig rig{SLUICE_TEST_PLUGINS "/" + module + ".so"};

  PlainSite() {
    INFO(module);
    chmod(folder.path.c_str(), 0755);
    folder.write("a.txt", "hello");
    mkdir((folder / "dir").c_str(), 0755);
    folder.write("dir/index.html", "index");
    mkdir((folder / "empty").c_str(), 0755);
  }
  std::uint32_t code(const std::string& path) { return rig.get(path)->code; }
};

// This process without root's rights, since root is never refused a file.
struct Unprivileged {
  Unprivileged() {
    if (geteuid() == 0) REQUIRE(seteuid(65534) == 0);
  }
  ~Unprivileged() {
    if (getuid() == 0) REQUIRE(seteuid(0) == 0);
  }
};

}  // namespace sluice::test
