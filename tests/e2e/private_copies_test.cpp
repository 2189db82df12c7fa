// The private copies of modules: removed at the end, made again, and errors when there is no room for them.
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

TEST_CASE("a server leaves nothing in the folder of temporary files", "[e2e][copies]") {
  const ScratchFolder temporary;
  const Site site({"hello"});
  ServerProcess server(site, {}, {{"TMPDIR", temporary.path()}});
  CHECK_FALSE(std::filesystem::is_empty(temporary.path()));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.stop() == 0);
  CHECK(std::filesystem::is_empty(temporary.path()));
}

TEST_CASE("removed private copies of modules are made again", "[e2e][copies]") {
  const Site site({"hello"});
  const std::string folder = site.path("copies");
  std::filesystem::create_directory(folder);
  ServerProcess server(site, {"--workers", "1"}, {{"TMPDIR", folder}});
  const auto remove_copies = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) std::filesystem::remove_all(entry);
  };
  remove_copies();
  CHECK(server.reload());
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  remove_copies();
  ::kill(server.workers().at(0), SIGKILL);
  CHECK(server.logs("was killed by SIGKILL"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  remove_copies();
  std::filesystem::remove(folder);  // now they cannot be made
  CHECK_FALSE(server.reload());
  CHECK(server.logs("nothing changes: the folder " + folder));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  std::filesystem::create_directory(folder);
  CHECK(server.stop() == 0);
}

TEST_CASE("without room for private copies a server does not start", "[e2e][copies]") {
  const Site site({"hello"});
  std::vector<std::string> command{"/bin/sh", "-c", "ulimit -f 1; exec \"$@\"", "sh"};
  const std::vector<std::string> serve = site.command({"--listen", "127.0.0.1:0"});
  command.insert(command.end(), serve.begin(), serve.end());
  const Outcome outcome = run(command);
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.err, Contains("hello.so cannot be copied to a private place: File too large") &&
                              Contains("make room there, or point TMPDIR to another folder"));
}
