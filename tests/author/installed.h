// sluice as `cmake --install` leaves it, in a folder that is gone at the end: what authors of modules have.
//
// The build that is installed is this one; SLUICE_BUILD in the environment names another. ServerProcess serves
// by the installed program from then on. One thread.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "support/server_process.h"

namespace sluice::test {

inline constexpr int kBuildMs = 180'000;

// Runs it to its end, and throws with all it said when it fails.
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
  // By DESTDIR, so that no part of it lies where it was configured to.
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
