// Clients that do more than fetch files: differential downloads, mirrors, listings shown as a folder. Each
// test runs if the client's package is installed.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "support/installed.h"
#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

constexpr std::size_t kMebi = 1024 * 1024;

Outcome shell(const std::string& command, const std::string& folder) {
  return run({"sh", "-c", command}, {}, folder, 60'000);
}

// A file that changed in many places, and its old version.
struct Versions {
  std::string old_one = random_bytes(2 * kMebi, 7);
  std::string new_one = old_one;

  Versions() {
    for (std::size_t i = 0; i < 150; ++i)
      new_one.replace(i * 13'000, 20, random_bytes(20, static_cast<unsigned>(i)));
  }
};

std::uint64_t count(const std::string& text, const std::string& what) {
  std::uint64_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("zsync fetches the parts of a file that have changed", "[e2e][files]") {
  if (!installed({"zsync", "zsyncmake"})) return;
  const std::string module = GENERATE("static_sendfile", "dynamic_aio");
  const Site site({module});
  const Versions versions;
  site.write("image", versions.new_one);
  REQUIRE(shell("zsyncmake -b 1024 -u image -o image.zsync image", site.root()).code == 0);
  ServerProcess server(site, {"--mount", "/=" + module});
  const ScratchFolder out;
  out.write("old", versions.old_one);
  const Outcome outcome =
      shell("exec zsync -i old -o new " + server.url("/image.zsync") + " </dev/null", out.path());
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
  CHECK((out.read("new") == versions.new_one));
  CHECK(server.stop() == 0);
}

TEST_CASE("zchunk fetches the chunks of a file that have changed", "[e2e][files]") {
  if (!installed({"zck", "zckdl"})) return;
  const std::string module = GENERATE("static_sendfile", "dynamic_aio");
  const Site site({module});
  const Versions versions;
  site.write("image", versions.new_one);
  REQUIRE(shell("zck -o image.zck image", site.root()).code == 0);
  ServerProcess server(site, {"--mount", "/=" + module});
  const ScratchFolder out;
  out.write("old", versions.old_one);
  REQUIRE(shell("zck -o old.zck old", out.path()).code == 0);
  const Outcome outcome =
      shell("exec zckdl --fail-no-ranges -s old.zck " + server.url("/image.zck"), out.path());
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
  CHECK(shell("cmp image.zck " + site.root() + "/image.zck", out.path()).code == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a mirror fetches each listing once", "[e2e][files]") {
  if (!installed({"wget"})) return;
  const Site site({"static_sendfile"});
  const std::vector<std::string> names = {"a.txt", "b c.txt", "col:on.txt", "sub/d.txt", "sub/more/e.txt"};
  for (const std::string& name : names) site.write("m/" + name, "content of " + name);
  ServerProcess server(site, {"--mount", "/m/=static_sendfile:listing=on"});
  const ScratchFolder out;
  const Outcome outcome = shell(
      "LC_ALL=C wget -m -np -nH --no-proxy --tries=1 --restrict-file-names=nocontrol " + server.url("/m/"),
      out.path());
  CHECK(outcome.code == 0);
  for (const std::string& name : names) CHECK(out.read("m/" + name) == "content of " + name);
  // The three listings, the files, and robots.txt, which is asked for first.
  CHECK(count(outcome.err, "HTTP request sent") == 3 + names.size() + 1);
  CHECK(server.stop() == 0);
}

TEST_CASE("httpdirfs shows a listing as a folder", "[e2e][files]") {
  if (!installed({"httpdirfs", "fusermount3"})) return;
  const int fuse = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (fuse < 0) {
    WARN("there is no FUSE here");
    return;
  }
  ::close(fuse);
  const Site site({"static_sendfile"});
  const std::vector<std::string> names = {"a.txt", "b c.txt", "sub/d.txt"};
  for (const std::string& name : names) site.write("m/" + name, "content of " + name);
  ServerProcess server(site, {"--mount", "/m/=static_sendfile:listing=on"});
  const ScratchFolder out;
  out.make_folder("mounted");
  Process filesystem({"httpdirfs", "-f", server.url("/m/"), out.path("mounted")});
  const std::string first = out.path("mounted/a.txt");
  const bool mounted = eventually([&] { return std::filesystem::exists(first) || !filesystem.running(); });
  if (!filesystem.running()) {
    WARN("httpdirfs mounts nothing here: " << filesystem.err());
    return;
  }
  CHECK(mounted);
  for (const std::string& name : names) {
    CHECK(shell("cat '" + out.path("mounted/" + name) + "'", out.path()).out == "content of " + name);
  }
  shell("fusermount3 -u -z " + out.path("mounted"), out.path());
  filesystem.signal(SIGTERM);
  filesystem.wait();
  CHECK(server.stop() == 0);
}
