// A reload without a supervisor: when it waits for its settings, nothing else waits.
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

  // The reason why the reload is refused.
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

TEST_CASE_METHOD(Fixture, "a reload is refused when looking up a name takes too long", "[reload]") {
  settings.policy.swap_ms = 100;
  group = std::make_unique<WorkerGroup>(std::move(*make_plan(settings)), std::vector<MountReport>());
  const pid_t supervisor = ::getpid();
  CHECK(refusal([&]() -> Result<Settings> {
          if (::getpid() == supervisor) return fail("the supervisor itself would wait");
          for (;;) ::pause();
        }) == "reading the settings takes too long: a name or a folder in them does not answer");
}

TEST_CASE_METHOD(Fixture, "the supervisor looks up no name that its child has not", "[reload]") {
  const pid_t supervisor = ::getpid();
  // The child asks for one name, and then this process for another one.
  CHECK(refusal([&]() -> Result<Settings> {
          const bool known = look_up_user(::getpid() == supervisor ? "daemon" : "root").has_value();
          if (!known) return fail("not heard of");
          return settings;
        }) == "not heard of");
  CHECK(refusal([&]() -> Result<Settings> { return fail("there is no key 'wrkers'"); }) ==
        "there is no key 'wrkers'");
}
