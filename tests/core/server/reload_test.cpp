// A reload without a supervisor: when it waits for its settings, nothing else waits.
#include "server/reload.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <optional>

#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::TempFolder;

namespace {

struct Fixture : private WorkerProcess::Owner {
  TempFolder folder;
  Settings settings;
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  ModuleRollout rollout{*loop, std::move(*ModuleStore::create()), [] {}, [] { return false; }};
  std::unique_ptr<WorkerGroup> group;
  InheritedSockets inherited;

  Fixture() {
    settings.root = folder.path;
    settings.plugins = {folder.path};
    settings.user = ::geteuid() == 0 ? "root" : "";
    settings.workers = 1;
    const PlanPtr plan = std::move(*make_plan(settings));
    group = std::make_unique<WorkerGroup>(plan, std::vector<MountReport>());
    rollout.begin(std::move(*try_folder(rollout.store(), *plan)), *group);
  }

  // The reason why the reload is refused.
  std::string refusal(const ReadSettings& reread) {
    std::optional<Result<void>> outcome;
    const WorkerGroup::Launch launch{
        *loop, *this, -1, nullptr, nullptr, Unusable::left_out, [](const std::vector<ListeningSocket>&) {}};
    const auto reload = std::move(*Reload::begin({reread, rollout, *group, inherited, launch},
                                                 [&](const Result<void>& ended) { outcome = ended; }));
    while (!outcome) {
      loop->turn(10);
      int status = 0;
      const pid_t ended = ::waitpid(-1, &status, WNOHANG);
      if (ended > 0) reload->child_ended(ended, status);  // else a child of another reload
    }
    return outcome->has_value() ? "" : outcome->error().message;
  }

 private:
  void heard(WorkerProcess&, const WorkerMessage&) override {}
  void does_not_end(WorkerProcess&) override {}
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
