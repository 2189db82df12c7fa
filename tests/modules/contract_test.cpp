// The tests' modules on a server that only checks the contract: those that keep it leave nothing behind, and
// those that break it are caught.
#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/module_rig.h"

using namespace sluice;
using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

namespace {

std::string path_of(const std::string& module) {
  return std::string(SLUICE_TEST_MODULES) + "/" + module + ".so";
}

// A rig with one handler.
struct Mounted {
  explicit Mounted(const std::string& module, const std::map<std::string, std::string>& options = {})
      : rig(path_of(module)) {
    rig.mount("", options);
  }
  ModuleRig rig;
};

// Returns the breaches of the contract, and clears them.
std::vector<std::string> take_violations(ModuleRig& rig) {
  return std::exchange(rig.server.violations, {});
}

std::string refusal(const std::string& module, const std::map<std::string, std::string>& options) {
  ModuleRig rig(path_of(module));
  try {
    rig.mount("", options);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "it was not refused";
}

RequestPlan upload(std::vector<std::string> pieces) {
  RequestPlan plan;
  plan.method = Method::post;
  plan.body = std::move(pieces);
  return plan;
}

std::string joined(const std::vector<std::string>& pieces) {
  return std::accumulate(pieces.begin(), pieces.end(), std::string());
}

}  // namespace

TEST_CASE("echo: every byte comes back, whatever the pieces and the room", "[contract]") {
  Mounted echo("echo");
  std::vector<std::string> pieces;
  for (int i = 0; i < 40; ++i) {
    pieces.emplace_back(static_cast<std::size_t>(1 + i * 997), static_cast<char>('a' + i % 26));
  }
  for (const std::uint64_t room : {std::uint64_t{1} << 20, std::uint64_t{5000}}) {
    RequestPlan plan = upload(pieces);
    plan.sink.room = room;
    const Answer answer = echo.rig.run(std::move(plan));
    CHECK(answer->complete);
    CHECK(answer->request_body_ended);
    CHECK(answer->content == joined(pieces));
  }
  RequestPlan stingy = upload({std::string(5000, 'x')});
  stingy.sink.socket = {0, 1, 700, 0, 3};
  CHECK(echo.rig.run(std::move(stingy))->content == std::string(5000, 'x'));
  CHECK(echo.rig.run(upload({}))->content.empty());
}

TEST_CASE("echo: a client that takes nothing is not read from", "[contract]") {
  Mounted echo("echo");
  RequestPlan plan = upload(std::vector<std::string>(100, std::string(10'000, 'x')));
  plan.sink.socket = {0};
  const Answer answer = echo.rig.start(std::move(plan));
  CHECK_FALSE(echo.rig.server.run_until([&] { return answer->request_body_ended; }, 50));
  CHECK_FALSE(answer->ended());
  answer->cancel();
}

TEST_CASE("defer: the answer comes with its timer, and a cancelled one does not", "[contract]") {
  Mounted defer("defer", {{"delay", "20ms"}});
  const Answer answer = defer.rig.get("some/path");
  CHECK(answer->deferred);
  CHECK(answer->content == "deferred some/path\n");
  for (int i = 0; i < 5; ++i) defer.rig.start({})->cancel();
}

TEST_CASE("offloader: answers when its work is done, refused or expired", "[contract]") {
  Mounted offloader("offloader", {{"sleep", "5ms"}});
  CHECK(offloader.rig.get("")->content == "done off the loop\n");
  offloader.rig.server.refuse_offloads = 1;
  CHECK(offloader.rig.get("")->code == 503);
  offloader.rig.server.expire_offloads = true;
  CHECK(offloader.rig.get("")->code == 503);
  offloader.rig.server.expire_offloads = false;
  offloader.rig.start({})->cancel();  // the work ends after its request
}

TEST_CASE("ticker: streams from timers and from watched descriptors", "[contract]") {
  Mounted ticker("ticker", {{"every", "1ms"}});
  for (const std::string path : {"timer", "fd"}) {
    RequestPlan plan;
    plan.path = path;
    plan.query = "4";
    const Answer answer = ticker.rig.run(plan);
    CHECK(answer->declared == kUnknownSize);
    CHECK(answer->content == "tick 1\ntick 2\ntick 3\ntick 4\n");
    CHECK(answer->parks > 0);
    plan.query = "1000000";
    const Answer endless = ticker.rig.start(plan);
    CHECK(ticker.rig.server.run_until([&] { return endless->received > 10; }));
    endless->cancel();
  }
}

TEST_CASE("slow_reader: one byte at a time, to the end or to the cut", "[contract]") {
  Mounted slow("slow_reader");
  const Answer answer = slow.rig.run(upload({"abc", "", "de"}));
  CHECK(answer->content == "5 495\n");
  const Answer cut = slow.rig.start(upload({std::string(1000, 'x')}));
  slow.rig.server.turn();
  cut->cancel();
}

TEST_CASE("options: the table has every type", "[contract]") {
  Mounted options("options", {{"number", "42"}, {"choice", "three"}});
  REQUIRE(options.rig.info().option_count == 6);
  for (std::uint32_t i = 0; i < 6; ++i) {
    CHECK(options.rig.info().options[i].type == static_cast<OptionType>(i));
  }
  CHECK_THAT(options.rig.get("")->content, Contains("mount=/m/\n") && Contains("number=42|42\n"));
}

TEST_CASE("counting: counters, prepared fields, lent bytes and holds add up", "[contract]") {
  Mounted counting("counting");
  counting.rig.mount("");
  const Answer answer = counting.rig.get("", 1);
  CHECK(answer->content == "requests=1 lent=0 refused=yes same=yes shared=yes\n");
  CHECK(answer->line("X-Prepared") == "yes");
  CHECK(counting.rig.get("held")->content == "these bytes are borrowed\n");
  CHECK(counting.rig.get("")->content == "requests=2 lent=0 refused=yes same=yes shared=yes\n");
  CHECK(counting.rig.server.counters["requests"] == 3);
  counting.rig.retire();
}

TEST_CASE("a module that refuses to be created says why", "[contract]") {
  CHECK(refusal("reject", {{"how", "call"}}) == "it has been told to refuse: say how=not");
  CHECK(refusal("reject", {{"how", "error"}}) == "the moon is in the wrong phase: wait a week");
  CHECK(refusal("reject", {{"how", "silent"}}).empty());
  CHECK(refusal("reject", {{"how", "not"}}) == "it was not refused");
  CHECK(refusal("thrower", {{"create", "on"}}) == "thrown while being created");
}

TEST_CASE("modules that break the contract are caught", "[contract]") {
  Mounted twice("twice");
  twice.rig.get("");
  CHECK_THAT(take_violations(twice.rig), Equals(std::vector<std::string>{"answered more than once"}));

  Mounted never("never");
  never.rig.start({})->cancel();
  CHECK_THAT(take_violations(never.rig), Equals(std::vector<std::string>{"neither answered nor deferred"}));

  Mounted thrower("thrower");
  thrower.rig.start({})->cancel();
  CHECK_FALSE(take_violations(thrower.rig).empty());

  Mounted overrun("overrun");
  const Answer over = overrun.rig.start({});
  overrun.rig.server.turn();
  over->cancel();
  CHECK_FALSE(take_violations(overrun.rig).empty());

  Mounted underrun("underrun");
  underrun.rig.get("");
  CHECK_THAT(take_violations(underrun.rig), Equals(std::vector<std::string>{"done before all was written"}));
}

TEST_CASE("fails: gives up, and says so", "[contract]") {
  Mounted fails("fails");
  CHECK(fails.rig.get("")->cut);
  CHECK(fails.rig.get("chunked")->cut);
}

TEST_CASE("modules of another interface are not entered", "[contract]") {
  CHECK_THROWS_WITH(ModuleRig(path_of("abi_wrong_major")), Contains("another interface"));
  CHECK_THROWS_WITH(ModuleRig(path_of("abi_wrong_layout")), Contains("another interface"));
  CHECK_THROWS_WITH(ModuleRig(path_of("abi_no_symbol")), Contains("exports no sluice_module"));
}
