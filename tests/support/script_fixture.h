// What the tests of the module lua share: a script in a folder, and the module in a rig. One thread.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "support/module_rig.h"
#include "support/temp_folder.h"

namespace sluice::test::lua {

struct ScriptFixture {
  TempFolder folder;
  ModuleRig rig{SLUICE_TEST_PLUGINS "/lua.so"};

  std::string file() const { return folder / "script.lua"; }
  std::size_t mount(const std::string& script, std::map<std::string, std::string> options = {}) {
    folder.write("script.lua", script);
    options["script"] = file();
    return rig.mount("", options);
  }
  // A script whose function has these statements.
  std::size_t mount_body(const std::string& statements, std::map<std::string, std::string> options = {}) {
    return mount("return function(request)\n" + statements + "\nend\n", std::move(options));
  }
  // What a script without bounds of its own makes of an expression.
  std::string value_of(const std::string& expression) {
    return rig.get("", mount_body("return tostring((" + expression + "))"))->content;
  }
  std::string refusal(const std::string& script, std::map<std::string, std::string> options = {}) {
    try {
      mount(script, std::move(options));
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }
  std::string answer(std::size_t handler = 0) { return rig.get("", handler)->content; }
  // A handler also logs that the file of all of them has changed.
  std::vector<std::string> lines_with(const std::string& text) const {
    std::vector<std::string> lines;
    for (const auto& [level, line] : rig.server.logs) {
      if (line.find(text) != std::string::npos) lines.push_back(line);
    }
    return lines;
  }
  bool has_logged(const std::string& text) {
    return rig.server.run_until([&] { return !lines_with(text).empty(); });
  }
  std::string last_failure() const {
    const std::vector<std::string> lines = lines_with(" has failed, so ");
    return lines.empty() ? "" : lines.back();
  }
};

}  // namespace sluice::test::lua
