// A server for which the kernel's calls fail as a test wants it, as when something has run out. The server
// loads tests/e2e/failing_system.cpp for that.
//
// The build defines SLUICE_FAILING_SYSTEM. One thread.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>

#include "support/server_process.h"

namespace sluice::test {

class FailingSystem {
 public:
  FailingSystem() { folder_.make_folder("faults"); }

  // To start the server with.
  Variables variables() const {
    const char* before = std::getenv("ASAN_OPTIONS");
    return {{"LD_PRELOAD", SLUICE_FAILING_SYSTEM},
            {"SLUICE_TEST_FAULTS", folder_.path("faults")},
            {"ASAN_OPTIONS", std::string(before == nullptr ? "" : before) + ":verify_asan_link_order=0"}};
  }
  // From now on the call fails with the error: in all processes of the server, or where `who` says.
  void fail(const std::string& call, int error, const std::string& who = "") const {
    folder_.link("new", std::to_string(error) + " " + who);
    std::filesystem::rename(folder_.path("new"), folder_.path("faults/" + call));
  }
  void mend(const std::string& call) const { std::filesystem::remove(folder_.path("faults/" + call)); }

 private:
  ScratchFolder folder_;
};

// Sanitizers have functions of their own for memory and threads, which come before those that are loaded.
inline bool has_sanitizer() {
  std::ostringstream program;
  program << std::ifstream(sluice_binary(), std::ios::binary).rdbuf();
  return program.view().find("__asan_init") != std::string::npos;
}

// How many descriptors a process has open.
inline std::ptrdiff_t descriptors_of(pid_t pid) {
  return std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"),
                       std::filesystem::directory_iterator());
}

// Whether so many requests in a row are answered so.
inline bool all_served(const ServerProcess& server, const std::string& target, int count = 20) {
  for (int i = 0; i < count; ++i) {
    try {
      HttpClient client(server.endpoint(), 2'000);
      client.request("GET", target, "Connection: close\r\n");
      if (client.read_answer().status != 200) return false;
    } catch (const std::runtime_error&) {
      return false;
    }
  }
  return true;
}

}  // namespace sluice::test
