// The filter limit: how often clients may ask, how much at once, and what tells them apart.
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "support/module_rig.h"

using namespace sluice;
using Catch::Matchers::Contains;
using test::Answer;
using test::ModuleRig;
using test::RequestPlan;

namespace {

using Options = std::map<std::string, std::string>;

RequestPlan from(const std::string& client) {
  RequestPlan plan;
  plan.client = client;
  return plan;
}

RequestPlan with(const std::string& name, const std::string& value) {
  RequestPlan plan;
  plan.fields = {{name, value}};
  return plan;
}

const std::string kOne = "192.0.2.1:49152";

struct Fixture {
  ModuleRig rig{SLUICE_TEST_PLUGINS "/limit.so"};

  std::size_t mount(const Options& options) { return rig.mount("", options); }
  bool passes(RequestPlan plan) {
    // It ends at once by being cancelled, so that no other one moves on.
    const Answer answer = rig.start(std::move(plan));
    CHECK(answer->code == (answer->passed ? 200 : 429));
    return answer->passed;
  }
  // How many of that many requests pass.
  int passing(int requests, const std::string& client = kOne) {
    int count = 0;
    for (int i = 0; i < requests; ++i) count += passes(from(client)) ? 1 : 0;
    return count;
  }
  // The clock stands still otherwise: rates are so low that real time does not matter.
  void wait(std::uint64_t ms) {
    rig.server.advance_clock(ms);
    rig.server.turn(0);
  }
  std::string retry_after(const std::string& client = kOne) {
    return rig.start(from(client))->line("Retry-After");
  }
  std::string refusal(const Options& options) {
    try {
      mount(options);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a client may ask as often as the rate says, and a burst at once", "[limit]") {
  mount({{"rate", "6/h"}, {"burst", "3"}});
  CHECK(passing(5) == 3);
  CHECK(retry_after() == "600");
  wait(599'000);
  CHECK(passing(1) == 0);
  CHECK(retry_after() == "1");
  wait(1'000);
  CHECK(passing(3) == 1);
  wait(1'200'000);
  CHECK(passing(3) == 2);
  wait(36'000'000);
  CHECK(passing(5) == 3);
  CHECK(rig.server.counters.at("passed") == 9);
  CHECK(rig.server.counters.at("refused") == 10);
}

TEST_CASE_METHOD(Fixture, "the burst is what the rate gives in a second", "[limit]") {
  const auto [rate, burst] = GENERATE(std::pair("1/h", 1), std::pair("600/h", 1), std::pair("240/m", 4));
  mount({{"rate", rate}});
  CHECK(passing(burst + 1) == burst);
}

TEST_CASE_METHOD(Fixture, "each address counts for itself, and IPv6 by /64", "[limit]") {
  mount({{"rate", "1/h"}});
  CHECK(passes(from("192.0.2.1:1")));
  CHECK_FALSE(passes(from("192.0.2.1:2")));
  CHECK_FALSE(passes(from("[::ffff:192.0.2.1]:3")));
  CHECK(passes(from("192.0.2.2:1")));
  CHECK(passes(from("[2001:db8:0:1::1]:1")));
  CHECK_FALSE(passes(from("[2001:db8:0:1:ffff::2]:1")));
  CHECK(passes(from("[2001:db8:0:2::1]:1")));
  CHECK_FALSE(passes(from("[2001:db8:0:2::2]")));
  CHECK_FALSE(passes(from("192.0.2.2")));
  CHECK(passes(from("[::1]:1")));
  CHECK(passes(from("unix:")));
  CHECK_FALSE(passes(from("unix:")));
}

TEST_CASE_METHOD(Fixture, "clients are told apart by a field", "[limit]") {
  mount({{"rate", "1/h"}, {"key", "field:X-Token"}});
  CHECK(passes(with("x-token", "a")));
  CHECK_FALSE(passes(with("X-Token", "a")));
  CHECK(passes(with("X-Token", "b")));
  CHECK(passes(with("X-Other", "a")));
  CHECK_FALSE(passes(with("X-Third", "a")));
}

TEST_CASE_METHOD(Fixture, "clients are told apart by a note", "[limit]") {
  mount({{"rate", "1/h"}, {"key", "note:user"}});
  const auto noted = [&](const std::string& user) {
    RequestPlan plan = from(kOne);
    plan.notes["user"] = user;
    return plan;
  };
  CHECK(passes(noted("anna")));
  CHECK_FALSE(passes(noted("anna")));
  CHECK(passes(noted("bert")));
  CHECK(passes(from(kOne)));
}

TEST_CASE_METHOD(Fixture, "a client has so many requests under way", "[limit]") {
  mount({{"in_flight", "2"}});
  std::vector<Answer> under_way;
  for (int i = 0; i < 2; ++i) under_way.push_back(rig.start(from(kOne)));
  CHECK(under_way.back()->passed);
  CHECK(passing(3) == 0);
  CHECK(retry_after() == "1");
  CHECK(passing(1, "192.0.2.2:1") == 1);
  SECTION("they are complete") {
    REQUIRE(rig.server.run_until([&] { return under_way[0]->ended() && under_way[1]->ended(); }));
    CHECK(under_way[0]->complete);
    CHECK(passing(4) == 4);
  }
  SECTION("one breaks off, and those that were refused do not count") {
    under_way.pop_back();
    const Answer next = rig.start(from(kOne));
    CHECK(next->passed);
    CHECK(passing(1) == 0);
  }
}

TEST_CASE_METHOD(Fixture, "who has too many under way keeps the tokens of the rate", "[limit]") {
  mount({{"in_flight", "1"}, {"rate", "1/h"}, {"burst", "2"}});
  {
    const Answer under_way = rig.start(from(kOne));
    CHECK(passing(3) == 0);
  }
  CHECK(passing(3) == 1);
}

TEST_CASE_METHOD(Fixture, "two workers count together, and filters of other settings do not", "[limit]") {
  const Options options{{"rate", "1/h"}, {"burst", "3"}, {"in_flight", "2"}};
  const std::size_t one = mount(options);
  const std::size_t other = mount(options);
  const std::size_t third = mount({{"rate", "1/h"}, {"burst", "4"}, {"in_flight", "2"}});
  const Answer first = rig.start(from(kOne), one);
  const Answer second = rig.start(from(kOne), other);
  CHECK(first->passed);
  CHECK(second->passed);
  for (const std::size_t worker : {one, other}) CHECK(rig.start(from(kOne), worker)->code == 429);
  CHECK(rig.start(from(kOne), third)->passed);
  CHECK(rig.start(from("192.0.2.2:1"), one)->passed);
}

TEST_CASE_METHOD(Fixture, "a number that a worker has spoilt keeps nobody out for longer than a burst",
                 "[limit]") {
  mount({{"rate", "6/h"}, {"burst", "2"}});
  CHECK(passing(1) == 1);
  for (auto& [name, number] : rig.server.shared_numbers) number = ~std::uint64_t{0} / 3;
  CHECK(passing(1) == 0);
  CHECK(retry_after() == "600");
  wait(1'200'000);
  CHECK(passing(1) == 0);
  for (auto& [name, number] : rig.server.shared_numbers) number = 1;
  CHECK(passing(3) == 2);
}

TEST_CASE_METHOD(Fixture, "a dry run refuses nothing, counts, and reports once a minute", "[limit]") {
  mount({{"rate", "1/h"}, {"dry_run", "1"}});
  const auto run = [&](int requests) {
    for (int i = 0; i < requests; ++i) CHECK(passes(from(kOne)));
  };
  run(3);
  CHECK(rig.server.counters.at("passed") == 1);
  CHECK(rig.server.counters.at("refused") == 2);
  CHECK(rig.server.logs.empty());
  CHECK(passes(from("192.0.2.2:1")));
  wait(60'000);
  REQUIRE(rig.server.logs.size() == 1);
  CHECK(rig.server.logs[0].second ==
        "without dry_run, 2 of 3 requests of the last minute would have been refused");
  wait(60'000);
  CHECK(rig.server.logs.size() == 1);
  run(1);
  wait(60'000);
  REQUIRE(rig.server.logs.size() == 2);
  CHECK(rig.server.logs[1].second ==
        "without dry_run, 1 of 1 requests of the last minute would have been refused");
}

TEST_CASE_METHOD(Fixture, "options of limit that mean nothing are refused", "[limit]") {
  CHECK_THAT(refusal({}), Contains("it limits nothing: give rate, as in 10/s, or in_flight"));
  for (const char* rate : {"10", "10/", "/s", "0/s", "10/d", "10/s ", "-1/s", "1000001/s", "1.5/s", "10/ms",
                           "99999999999999999999/s"})
    CHECK_THAT(refusal({{"rate", rate}}),
               Contains("the option rate has '" + std::string(rate) + "': write 1 to 1000000 requests"));
  CHECK_THAT(refusal({{"burst", "5"}, {"in_flight", "1"}}), Contains("the option burst belongs to rate"));
  CHECK_THAT(refusal({{"rate", "1/s"}, {"burst", "1000001"}}), Contains("the option burst is above 1000000"));
  for (const char* key : {"", "ip", "field", "field:", "note:", "address:"})
    CHECK_THAT(refusal({{"rate", "1/s"}, {"key", key}}), Contains("the option key has '" + std::string(key) +
                                                                  "': write address, field:NAME or note:NAME"));
}
