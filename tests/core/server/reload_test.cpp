// A reload, driven without a supervisor: whatever its settings wait for, nobody else does.
#include "server/reload.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/monotonic_clock.h"
#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::TempFolder;

namespace {

struct Fixture {
  TempFolder folder;
  Settings settings;
  std::unique_ptr<ModuleRollout> rollout = std::move(*ModuleRollout::create([] {}));
  std::unique_ptr<WorkerGroup> group;

  Fixture() {
    settings.root = settings.plugins = folder.path;
    settings.user = ::geteuid() == 0 ? "root" : "";
    settings.workers = 1;
    const PlanPtr plan = std::move(*make_plan(settings));
    group = std::make_unique<WorkerGroup>(plan, std::vector<MountReport>());
    rollout->begin(std::move(*try_folder(rollout->store(), *plan)), *group);
  }

  // Why the reload is refused.
  std::string refusal(const ReadSettings& reread) {
    const auto reload = std::move(*Reload::begin(reread, *group, [] {}));
    for (;;) {
      const auto ready = reload->step(*rollout, *group, {});
      if (!ready) return ready.error().message;
      REQUIRE(reload->trial() != nullptr);
      const std::uint64_t now_ms = monotonic_ms();
      const std::uint64_t due_ms = reload->due_ms();
      pollfd wanted{reload->trial()->fd(), POLLIN, 0};
      ::poll(&wanted, 1, due_ms <= now_ms ? 0 : static_cast<int>(due_ms - now_ms));
      if (wanted.revents == 0 || reload->trial()->hear()) continue;
      int status = 0;
      REQUIRE(::waitpid(reload->trial()->pid(), &status, 0) == reload->trial()->pid());
      reload->trial_ended(status);
    }
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "settings whose names are looked up for ever are refused in time", "[reload]") {
  settings.policy.swap_ms = 100;
  group = std::make_unique<WorkerGroup>(std::move(*make_plan(settings)), std::vector<MountReport>());
  const pid_t supervisor = ::getpid();
  CHECK(refusal([&]() -> Result<Settings> {
          if (::getpid() == supervisor) return fail("the supervisor itself would wait");
          for (;;) ::pause();
        }) == "reading the settings takes too long: a name, or a folder, of theirs does not answer");
}

TEST_CASE_METHOD(Fixture, "settings are read here only with the names that a child has heard", "[reload]") {
  const pid_t supervisor = ::getpid();
  // The child asks for one name, and here another one is asked for.
  CHECK(refusal([&]() -> Result<Settings> {
          const bool known = look_up_user(::getpid() == supervisor ? "daemon" : "root").has_value();
          if (!known) return fail("not heard of");
          return settings;
        }) == "not heard of");
  CHECK(refusal([&]() -> Result<Settings> { return fail("there is no key 'wrkers'"); }) ==
        "there is no key 'wrkers'");
}
