// kit/flow.h and kit/waits.h: what flows wait for, how they end, and that nothing of them is used after that.
#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "base/unique_fd.h"
#include "support/module_rig.h"

using namespace sluice;
using Catch::Matchers::Contains;
using test::Answer;
using test::ModuleRig;
using test::RequestPlan;

namespace {

struct Pipe {
  UniqueFd reads;
  UniqueFd writes;
  explicit Pipe(int flags = 0) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | flags) == 0);
    reads = UniqueFd(ends[0]);
    writes = UniqueFd(ends[1]);
  }
  void write() const { REQUIRE(::write(writes.get(), "x", 1) == 1); }
  static std::string query(const UniqueFd& end) { return "fd=" + std::to_string(end.get()); }
};

struct Fixture {
  ModuleRig rig{SLUICE_TEST_MODULES "/kit_flows.so"};
  Fixture() { rig.mount(""); }

  static RequestPlan plan(const std::string& path, const std::string& query = "") {
    RequestPlan plan;
    plan.path = path;
    plan.query = query;
    return plan;
  }
  static RequestPlan post(const std::string& path, std::vector<std::string> pieces) {
    RequestPlan plan;
    plan.path = path;
    plan.method = Method::post;
    plan.body = std::move(pieces);
    return plan;
  }
  Answer get(const std::string& path, const std::string& query = "") { return rig.run(plan(path, query)); }
  std::uint64_t begun() { return rig.server.counters["begun"]; }
  std::uint64_t ended() { return rig.server.counters["ended"]; }
  // The client of that request leaves while the flow waits. The flow ends there and then.
  void leave(RequestPlan plan) {
    const Answer answer = rig.start(std::move(plan));
    REQUIRE(begun() == ended() + 1);
    rig.server.turn(0);
    REQUIRE_FALSE(answer->ended());
    answer->cancel();
    CHECK(begun() == ended());
    rig.server.advance_clock(1'000'000);  // a timer that was left behind would fire
    for (int i = 0; i < 3; ++i) rig.server.turn(1);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a flow waits for timers and threads, and then answers", "[kit]") {
  const Answer slept = get("sleep/20");
  CHECK(slept->deferred);
  CHECK(slept->content == "slept 20");
  CHECK(get("steps")->content == "012!");
  CHECK(get("thread")->content == "nothing is returned");
  CHECK(get("lent")->content == "by the exchange");
  CHECK(get("passed/1")->content == "passed on");
  CHECK(get("passed/on")->code == 404);
  CHECK(begun() == 5);
  CHECK(ended() == 5);
}

TEST_CASE_METHOD(Fixture, "a flow waits for a descriptor, and not for too long", "[kit]") {
  const Pipe pipe(O_NONBLOCK);
  const Answer answer = rig.start(plan("readable", Pipe::query(pipe.reads)));
  rig.server.turn(0);
  CHECK_FALSE(answer->ended());
  pipe.write();
  CHECK(rig.server.run_until([&] { return answer->ended(); }));
  CHECK(answer->content == "ready");
  CHECK(get("readable", Pipe::query(pipe.reads) + "&ms=50000")->content == "ready");
  const Pipe empty;
  CHECK(get("readable", Pipe::query(empty.reads) + "&ms=1")->content == "not in time");

  const Answer full = rig.start(plan("writable", Pipe::query(pipe.writes)));
  rig.server.turn(0);
  CHECK_FALSE(full->ended());
  std::string taken(1 << 20, '\0');
  REQUIRE(::read(pipe.reads.get(), taken.data(), taken.size()) > 0);
  CHECK(rig.server.run_until([&] { return full->ended(); }));
  CHECK(full->content == "ready");
}

TEST_CASE_METHOD(Fixture, "a flow receives a body, or refuses it", "[kit]") {
  CHECK(rig.run(post("body/10", {"0123", "456789"}))->content == "0123456789");
  CHECK(rig.run(post("body/0", {}))->content == "empty");
  CHECK(rig.run(post("twice", {"x"}))->content == "a kit::Call's body was taken twice");
  const Answer large = rig.run(post("body/3", {"01", "23", "4"}));
  CHECK(large->code == 413);
  CHECK_FALSE(large->request_body_ended);
}

TEST_CASE_METHOD(Fixture, "a body of unknown size is refused as soon as it is too long", "[kit]") {
  RequestPlan chunks = post("body/3", {"01", "23", "456"});
  chunks.has_body_size = false;
  const Answer answer = rig.run(std::move(chunks));
  CHECK(answer->code == 413);
  CHECK(answer->request_body_ended);  // the rest was taken, and is not waited with
  CHECK(begun() == ended());
  chunks = post("body/4", {"01", "23"});
  chunks.has_body_size = false;
  CHECK(rig.run(std::move(chunks))->content == "0123");
}

TEST_CASE_METHOD(Fixture, "exceptions come out of the wait, and refusals are answers", "[kit]") {
  CHECK_THAT(get("caught")->content, Contains("the text of a flow") && Contains("cannot be watched"));
  const Answer refused = get("refused");
  CHECK(refused->code == 409);
  CHECK_THAT(refused->content, Contains("on a thread"));
  CHECK_THAT(get("late")->content, Contains("the text of a flow"));
  CHECK(get("unwritten")->content == "written");
}

TEST_CASE_METHOD(Fixture, "without a thread in time, the answer is 503", "[kit]") {
  rig.server.refuse_offloads = 1;
  CHECK(get("thread")->code == 503);
  rig.server.expire_offloads = true;
  CHECK(get("thread")->code == 503);
  CHECK(begun() == ended());
}

TEST_CASE_METHOD(Fixture, "a flow ends with its answer", "[kit]") {
  CHECK(get("answered/at once")->content == "answered");
  CHECK(get("answered/later")->content == "answered");
  CHECK(rig.server.run_until([&] { return begun() == ended(); }));
}

TEST_CASE_METHOD(Fixture, "a flow whose client leaves is destroyed where it waits", "[kit]") {
  leave(plan("sleep/100000"));
  const Pipe pipe(O_NONBLOCK);
  leave(plan("readable", Pipe::query(pipe.reads)));
  leave(plan("readable", Pipe::query(pipe.reads) + "&ms=100000"));
  leave(plan("writable", Pipe::query(pipe.writes)));
  pipe.write();
  rig.server.turn(0);
}

TEST_CASE_METHOD(Fixture, "a flow whose client leaves amid its body is destroyed, and its reader", "[kit]") {
  RequestPlan stuck = post("body/10", {"01", "23"});
  stuck.body_stops = true;
  leave(std::move(stuck));
}

TEST_CASE_METHOD(Fixture, "the variables of a flow live until its thread has returned", "[kit]") {
  const Pipe pipe;
  const Answer answer = rig.start(plan("blocked", Pipe::query(pipe.reads)));
  rig.server.turn(1);
  answer->cancel();
  for (int i = 0; i < 3; ++i) rig.server.turn(1);
  CHECK(ended() == 0);
  pipe.write();
  CHECK(rig.server.run_until([&] { return ended() == 1; }));
}

TEST_CASE_METHOD(Fixture, "a flow whose work still waits for a thread is destroyed with the work", "[kit]") {
  rig.server.pause_offload(true);
  const Answer answer = rig.start(plan("steps"));
  rig.server.run_until([&] { return rig.server.works_offered == 1; });
  answer->cancel();
  CHECK(ended() == 0);
  rig.server.pause_offload(false);
  CHECK(rig.server.run_until([&] { return ended() == 1; }));
}

TEST_CASE_METHOD(Fixture, "a retired service finishes its flows", "[kit]") {
  const Answer answer = rig.start(plan("sleep/5"));
  rig.retire();
  CHECK(rig.server.run_until([&] { return answer->ended(); }));
  CHECK(answer->content == "slept 5");
}

TEST_CASE("a filter may be a flow", "[kit]") {
  ModuleRig rig{SLUICE_TEST_MODULES "/kit_filter.so"};
  rig.mount("");
  RequestPlan plan;
  CHECK(rig.run(plan)->passed);  // without a path
  plan.path = "x";
  CHECK(rig.run(plan)->code == 401);
  plan.fields = {{"Cookie", "key=41"}};
  CHECK(rig.run(plan)->code == 403);
  plan.fields = {{"Cookie", "key=42"}};
  const Answer passed = rig.run(plan);
  CHECK(passed->passed);
  CHECK(passed->notes.at("key") == "42");
}
