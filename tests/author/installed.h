// sluice as `cmake --install` leaves it for authors of modules, in a folder that is removed at the end.
//
// It installs the build that this test belongs to, or the one that SLUICE_BUILD in the environment names.
// From then on ServerProcess uses the installed program. One thread.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "support/server_process.h"

namespace sluice::test {

inline constexpr int kBuildMs = 180'000;

// Runs a program to its end. Throws with its output when it fails.
inline std::string must(const std::vector<std::string>& arguments, const Variables& variables = {},
                        const std::string& folder = "") {
  const Outcome outcome = run(arguments, variables, folder, kBuildMs);
  if (outcome.code == 0) return outcome.out;
  std::string said = "it ended with " + std::to_string(outcome.code) + ":";
  for (const std::string& argument : arguments) said += " " + argument;
  throw std::runtime_error(said + "\n" + outcome.out + outcome.err);
}

class Installed {
 public:
  // DESTDIR puts every part elsewhere than it was configured for.
  Installed() {
    const char* build = std::getenv("SLUICE_BUILD");
    must({"cmake", "--install", build != nullptr ? build : SLUICE_BUILD, "--prefix", "/opt/sluice"},
         {{"DESTDIR", folder_.path()}});
    ::setenv("SLUICE_BINARY", program().c_str(), 1);
  }

  std::string prefix() const { return folder_.path("opt/sluice"); }
  std::string program() const { return prefix() + "/bin/sluice"; }
  std::string library(const std::string& name) const { return prefix() + "/" + SLUICE_LIBDIR + "/" + name; }

 private:
  ScratchFolder folder_;
};

}  // namespace sluice::test
