// File modules when something is refused: rights are missing, or memory is short.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <new>

#include "modules/plain_site.h"

using sluice::test::Answer;
using sluice::test::PlainSite;
using sluice::test::RequestPlan;
using sluice::test::Unprivileged;

TEST_CASE_METHOD(PlainSite, "the log says once which user may not read which file", "[files]") {
  rig.mount(folder.path);
  mkdir((folder / "closed").c_str(), 0755);
  mkdir((folder / "closed/deep").c_str(), 0755);
  folder.write("closed/deep/b.txt", "b");
  chmod((folder / "closed").c_str(), 0);
  chmod((folder / "a.txt").c_str(), 0);
  const Unprivileged user;
  const auto lines_about = [&](const std::string& what) {
    return std::count_if(rig.server.logs.begin(), rig.server.logs.end(),
                         [&](const auto& line) { return line.second.find(what) != std::string::npos; });
  };
  for (int i = 0; i < 3; ++i) {
    CHECK(code("a.txt") == 403);
    CHECK(rig.server.run_until([&] { return rig.server.offload_idle(); }));
    rig.server.advance_clock(2'000);
    rig.server.turn();
    CHECK(code("closed/deep/b.txt") == 403);
    CHECK(rig.server.run_until([&] { return rig.server.offload_idle(); }));
    rig.server.advance_clock(2'000);
    rig.server.turn();
  }
  CHECK(lines_about("may not read " + (folder / "a.txt")) == 1);
  CHECK(lines_about("may not enter the folder " + (folder / "closed")) == 1);
  CHECK(rig.server.logs.size() == 2);
}

TEST_CASE_METHOD(PlainSite, "an exception in one request does no harm to the next", "[files]") {
  const std::size_t listing = rig.mount(folder.path, {{"listing", "on"}});
  RequestPlan plan;
  plan.path = "empty/";
  Answer broken = rig.start(plan, listing);
  broken->before_field = [] { throw std::bad_alloc(); };
  REQUIRE(rig.server.run_until([&] { return !rig.server.violations.empty(); }));
  CHECK(rig.server.violations.size() == 1);
  rig.server.violations.clear();
  broken->cancel();
  CHECK(rig.get("empty/", listing)->code == 200);
}
