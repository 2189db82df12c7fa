// What the file of a module shows of its needs.
#include "module/module_needs.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/child_process.h"
#include "base/process_rights.h"
#include "support/temp_folder.h"

using namespace sluice;
using Catch::Matchers::Contains;

TEST_CASE("variables are looked for in what is loaded of a file alone", "[module_needs]") {
  const test::TempFolder folder;
  const std::string path = folder / "intruder.so";
  std::filesystem::copy_file(SLUICE_TEST_MODULES "/intruder.so", path);
  // As the names of symbols and types, which a file has behind what is loaded.
  std::ofstream(path, std::ios::app | std::ios::binary) << std::string("\0NAME_BEHIND\0", 13);
  const auto note = run_in_child(
      [&] {
        for (const char* name : {"INTRUDERS_OWN", "INTRUDERS", "NAME_BEHIND"}) ::setenv(name, "value", 1);
        keep_variables(
            [](std::string_view name) { return !name.starts_with("INTRUDERS") && name != "NAME_BEHIND"; });
        return missed_variables(path, "intruder");
      },
      20'000);
  REQUIRE(note);
  CHECK_THAT(*note, Contains("module intruder has the name of INTRUDERS_OWN, which workers do not have") &&
                        Contains("add --grant intruder=env:INTRUDERS_OWN if it reads that"));
  CHECK(note->find("NAME_BEHIND") == std::string::npos);
}
