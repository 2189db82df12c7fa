#include "base/landlock.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>

#include "base/child_process.h"
#include "support/temp_folder.h"

using namespace sluice;
using Catch::Matchers::Contains;

namespace {

using Access = LandlockRules::Access;

bool is_there() {
  if (landlock_version() > 0) return true;
  WARN("there is no Landlock here");
  return false;
}

std::string opened(const std::string& path, int flags) {
  const UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC));
  return fd ? "ok" : ::strerrorname_np(errno);
}

// What a process finds that is confined by the rules.
std::string confined(const LandlockRules& rules, const std::function<std::string()>& find) {
  const auto found = run_in_child(
      [&] {
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return std::string("no_new_privs");
        const auto done = rules.enforce();
        return done ? find() : done.error().message;
      },
      10'000);
  return found ? *found : found.error().message;
}

}  // namespace

TEST_CASE("a process opens what its rules allow, and nothing else", "[landlock]") {
  if (!is_there()) return;
  const sluice::test::TempFolder folder;
  folder.write("file", "f");
  folder.write("other", "o");
  auto rules = LandlockRules::begin(landlock_version(), {});
  REQUIRE(rules);
  REQUIRE(rules->allow(folder / "file", Access::read));
  REQUIRE(rules->allow(folder / "none", Access::read));
  const std::string found = confined(*rules, [&] {
    return opened(folder / "file", O_RDONLY) + " " + opened(folder / "file", O_WRONLY) + " " +
           opened(folder / "other", O_RDONLY);
  });
  CHECK(found == "ok EACCES EACCES");
}

TEST_CASE("what is in no folder needs no rule", "[landlock]") {
  if (!is_there()) return;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd out(ends[0]);
  const UniqueFd in(ends[1]);
  const std::string path = "/proc/self/fd/" + std::to_string(out.get());
  auto rules = LandlockRules::begin(landlock_version(), {});
  REQUIRE(rules);
  CHECK(rules->allow(out.get(), Access::read));
  CHECK(rules->allow(path, Access::read));
  CHECK(confined(*rules, [&] { return opened(path, O_RDONLY | O_NONBLOCK); }) == "ok");
}

TEST_CASE("a rule that is refused is named", "[landlock]") {
  if (!is_there()) return;
  auto rules = LandlockRules::begin(landlock_version(), {});
  REQUIRE(rules);
  const auto refused = rules->allow(-1, Access::read);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Contains("Landlock refuses a rule for descriptor -1: "));
}
