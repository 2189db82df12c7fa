// Changes of the modules, brought to scripted workers: each test says what they answer, and when they die.
#include "swap/module_rollout.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "server_process.h"
#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::module_file;
using sluice::test::TempFolder;
namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;

struct ScriptedWorkers final : RolloutWorkers {
  PlanPtr plan;
  std::vector<pid_t> living{1001, 1002};
  pid_t deaf = 0;  // takes no commit, with this error
  int error = 0;
  mutable Words told;
  mutable std::uint64_t number = 0;  // of the last change
  mutable ModuleSet set;             // of the last change
  mutable std::vector<pid_t> replaced;

  const PlanPtr& shared_plan() const override { return plan; }
  std::vector<pid_t> pids() const override { return living; }
  bool tell(pid_t worker, const WorkerMessage& message) const override {
    if (message.kind == ControlMessage::commit && worker == deaf) {
      errno = error;
      return false;
    }
    const bool prepare = message.kind == ControlMessage::prepare;
    told.push_back((prepare                                  ? "prepare "
                    : message.kind == ControlMessage::commit ? "commit "
                                                             : "abandon ") +
                   std::to_string(worker));
    if (!prepare) return true;
    number = message.number;
    set = decode_modules(message.text);
    return true;
  }
  void replace(pid_t worker) const override { replaced.push_back(worker); }
};

struct Fixture {
  TempFolder folder;
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  ScriptedWorkers workers;
  bool reload = false;  // is under way
  ModuleRollout rollout{*loop, std::move(*ModuleStore::create()), [] {}, [this] { return !reload; }};

  Fixture() {
    place("swapped_one");
    Settings settings;
    settings.root = folder.path;
    settings.plugins = {folder.path};
    settings.user = ::geteuid() == 0 ? "root" : "";
    settings.workers = 2;
    settings.policy.quiet_ms = 20;
    settings.policy.swap_ms = 60'000;  // longer than any wait of a test
    settings.policy.faults_max = 1;
    workers.plan = std::move(*make_plan(settings));
    rollout.begin(std::move(*try_folder(rollout.store(), *workers.plan)), workers);
  }

  void place(const std::string& module) const {
    fs::copy_file(module_file(module), folder / "draft");
    fs::rename(folder / "draft", folder / "swapped.so");
  }
  void turn() {
    loop->turn(20);
    int status = 0;
    for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) rollout.child_ended(ended, status);
  }
  // Turns until the workers are told so much; what they are told.
  Words told(std::size_t count) {
    for (int i = 0; i < 1'000 && workers.told.size() < count; ++i) turn();
    return std::exchange(workers.told, {});
  }
  // What they are told although nothing happens.
  Words told_in_vain() {
    for (int i = 0; i < 10; ++i) turn();
    return std::exchange(workers.told, {});
  }
  void answer(pid_t worker, ControlMessage kind = ControlMessage::prepared) {
    rollout.answered(worker, {kind, workers.number, "no room"});
  }
  // A change of the file, up to the question to the first worker.
  void begin_change() {
    place("swapped_two");
    REQUIRE(told(1) == Words{"prepare 1001"});
    REQUIRE(workers.set.at(0).generation == 2);
  }
  // Goes on from there: both workers take it.
  void take_change() {
    answer(1001);
    REQUIRE(told(1) == Words{"prepare 1002"});
    answer(1002);
    REQUIRE(told(2) == Words{"commit 1001", "commit 1002"});
  }
  // "generation 2", or "generation 2, closed".
  std::string in_force() const {
    const ModuleEntry& entry = rollout.in_force().at(0);
    return "generation " + std::to_string(entry.generation) + (entry.closed ? ", closed" : "");
  }
  // What has happened to the module, each with its generation.
  Words history() const {
    Words words;
    for (const ModuleEvent& event : rollout.events().all()) {
      CHECK(event.module == "swapped");
      words.push_back(std::to_string(event.generation) + " " + std::string(event.what));
    }
    return words;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "workers prepare a change one after another, and then all take it",
                 "[module_rollout]") {
  begin_change();
  CHECK(in_force() == "generation 1");
  CHECK(told_in_vain().empty());  // the second is asked when the first has answered
  take_change();
  CHECK(in_force() == "generation 2");
  CHECK(told_in_vain().empty());
  CHECK_FALSE(rollout.busy());
}

TEST_CASE_METHOD(Fixture, "a change that one worker refuses reaches none", "[module_rollout]") {
  begin_change();
  SECTION("the first") {
    answer(1001, ControlMessage::refused);
  }
  SECTION("the second") {
    answer(1001);
    REQUIRE(told(1) == Words{"prepare 1002"});
    answer(1002, ControlMessage::refused);
  }
  CHECK(told(2) == Words{"abandon 1001", "abandon 1002"});
  CHECK(told_in_vain().empty());
  CHECK(in_force() == "generation 1");
  CHECK_FALSE(rollout.busy());
  CHECK(history() == Words{"0 refused"});
}

TEST_CASE_METHOD(Fixture, "a fault that switches a module off goes before the change at work",
                 "[module_rollout]") {
  begin_change();
  const std::uint64_t abandoned = workers.number;
  CHECK(rollout.fault("swapped", 1));
  CHECK(told(3) == Words{"abandon 1001", "abandon 1002", "prepare 1001"});
  CHECK(workers.set.at(0).closed);
  // Late answers of the abandoned change count for nothing.
  for (const pid_t worker : workers.living) rollout.answered(worker, {ControlMessage::prepared, abandoned, ""});
  CHECK(told_in_vain().empty());
  take_change();
  CHECK(in_force() == "generation 1, closed");
  // Then the abandoned change comes again.
  REQUIRE(told(1) == Words{"prepare 1001"});
  take_change();
  CHECK(in_force() == "generation 3");
  CHECK(history() == Words{"1 switched off", "3 serves"});
}

TEST_CASE_METHOD(Fixture, "a module that is enabled during a reload waits for its end", "[module_rollout]") {
  REQUIRE(rollout.disable("swapped"));
  REQUIRE(told(1) == Words{"prepare 1001"});
  take_change();
  REQUIRE(in_force() == "generation 1, closed");
  reload = true;
  std::optional<Result<void>> answered;
  rollout.enable("swapped", [&](const Result<void>& outcome) { answered = outcome; });
  CHECK(told_in_vain().empty());
  CHECK_FALSE(answered);
  CHECK_FALSE(rollout.disable("swapped"));
  reload = false;
  SECTION("that is refused") {
    rollout.wake();
    REQUIRE(told(1) == Words{"prepare 1001"});
    CHECK_FALSE(answered);
    take_change();
    REQUIRE(answered);
    CHECK(answered->has_value());
    CHECK(in_force() == "generation 1");
    CHECK(history() == Words{"1 switched off", "1 serves again"});
  }
  SECTION("that replaces the workers") {
    ScriptedWorkers next;
    next.plan = workers.plan;
    next.living = {2001};
    TrialReport report;
    report.modules = rollout.set();
    rollout.go_on(report, rollout.set(), rollout.set(), next);
    for (int i = 0; i < 1'000 && next.told.empty(); ++i) turn();
    rollout.answered(2001, {ControlMessage::prepared, next.number, ""});
    for (int i = 0; i < 1'000 && !answered; ++i) turn();
    CHECK(next.told == Words{"prepare 2001", "commit 2001"});
    CHECK(workers.told.empty());
    REQUIRE(answered);
    CHECK(answered->has_value());
  }
  SECTION("that names another folder") {
    rollout.begin(std::move(*try_folder(rollout.store(), *workers.plan)), workers);
    REQUIRE(answered);
    CHECK_FALSE(answered->has_value());
  }
}

TEST_CASE_METHOD(Fixture, "a worker that dies while it is asked is not waited for", "[module_rollout]") {
  begin_change();
  SECTION("in the module that is new: the others are not asked") {
    rollout.ended(1001, "swapped", 2);
    CHECK(told(2) == Words{"abandon 1001", "abandon 1002"});
    workers.living = {1002, 1003};
    rollout.launched(1003);
    CHECK(told_in_vain().empty());
    CHECK(in_force() == "generation 1");
  }
  SECTION("elsewhere: its successor is asked") {
    rollout.ended(1001, "", 0);
    workers.living = {1003, 1002};
    rollout.launched(1003);
    CHECK(told(1) == Words{"prepare 1003"});
    answer(1003);
    CHECK(told(1) == Words{"prepare 1002"});
    answer(1002);
    CHECK(told(2) == Words{"commit 1003", "commit 1002"});
    CHECK(in_force() == "generation 2");
  }
  SECTION("and so do all: those that start get it") {
    for (const pid_t worker : workers.living) rollout.ended(worker, "", 0);
    workers.living.clear();
    for (int i = 0; i < 1'000 && rollout.busy(); ++i) turn();
    CHECK(in_force() == "generation 2");
    CHECK(rollout.set() == rollout.in_force());
  }
}

TEST_CASE_METHOD(Fixture, "a worker that does not take a commit is replaced, unless it is gone",
                 "[module_rollout]") {
  begin_change();
  answer(1001);
  REQUIRE(told(1) == Words{"prepare 1002"});
  workers.deaf = 1002;
  std::vector<pid_t> replaced;
  SECTION("it does not read") {
    workers.error = EAGAIN;
    replaced = {1002};
  }
  SECTION("it is gone") {
    workers.error = EPIPE;
  }
  answer(1002);
  CHECK(told(1) == Words{"commit 1001"});
  CHECK(workers.replaced == replaced);
  CHECK(in_force() == "generation 2");
}

TEST_CASE_METHOD(Fixture, "a file that changes while its change is under way changes once more",
                 "[module_rollout]") {
  begin_change();
  place("swapped_one");
  CHECK(told_in_vain().empty());
  place("swapped_two");
  CHECK(told_in_vain().empty());
  take_change();
  CHECK(in_force() == "generation 2");
  REQUIRE(told(1) == Words{"prepare 1001"});
  take_change();
  CHECK(in_force() == "generation 3");
  CHECK(told_in_vain().empty());
  CHECK_FALSE(rollout.busy());
}

TEST_CASE_METHOD(Fixture, "what is decided is sent again when a worker refuses it", "[module_rollout]") {
  REQUIRE(rollout.disable("swapped"));
  REQUIRE(told(1) == Words{"prepare 1001"});
  answer(1001, ControlMessage::refused);
  CHECK(told(2) == Words{"abandon 1001", "abandon 1002"});
  CHECK(in_force() == "generation 1");
  CHECK(rollout.busy());
  REQUIRE(told(1) == Words{"prepare 1001"});
  take_change();
  CHECK(in_force() == "generation 1, closed");
}
