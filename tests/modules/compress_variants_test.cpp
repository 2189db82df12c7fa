// The filter compress with variants_max: content with a strong tag is coded once more on a thread, and comes
// from memory then.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "modules/decoding.h"
#include "support/module_rig.h"

using namespace sluice;
using test::Answer;
using test::decode;
using test::ModuleRig;
using test::RequestPlan;

namespace {

std::string words_of(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string words;
  while (words.size() < size) words += "word" + std::to_string(random() % (1 + random() % 3000)) + " ";
  words.resize(size);
  return words;
}

RequestPlan plan_of(const std::string& path = "a", const std::string& tag = "\"1\"",
                    std::size_t size = 50'000) {
  RequestPlan plan;
  plan.path = path;
  plan.fields = {{"Accept-Encoding", "br"}};
  plan.behind.lines = {{"Content-Type", "text/plain"}};
  if (!tag.empty()) plan.behind.lines.emplace_back("ETag", tag);
  plan.behind.content = words_of(size, 1);
  return plan;
}

struct Fixture {
  ModuleRig rig{SLUICE_TEST_PLUGINS "/compress.so"};
  std::size_t filter = rig.mount("", {{"variants_max", "1M"}});

  // Waits until what it has begun to make is made.
  Answer answer(const RequestPlan& plan) {
    Answer answered = rig.run(plan, filter);
    CHECK(rig.server.run_until([&] { return rig.server.offload_idle(); }));
    return answered;
  }
  bool is_from_memory(const RequestPlan& plan) {
    const std::uint64_t before = rig.server.counters["from_memory"];
    const auto answered = answer(plan);
    CHECK(answered->complete);
    const bool from_memory = rig.server.counters["from_memory"] == before + 1;
    CHECK(from_memory == (answered->declared != kUnknownSize && !answered->line("Content-Encoding").empty()));
    return from_memory;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "content is coded once, and comes from memory then", "[compress]") {
  const std::string coding = GENERATE("zstd", "br", "gzip");
  RequestPlan plan = plan_of();
  plan.fields = {{"Accept-Encoding", coding}};
  plan.behind.lines.emplace_back("Accept-Ranges", "bytes");
  const auto first = answer(plan);
  CHECK(first->declared == kUnknownSize);
  plan.sink.room = GENERATE(1000U, 1U << 20);
  plan.sink.socket = {700, 0, 5000};
  const auto second = answer(plan);
  CHECK(second->declared == second->content.size());
  CHECK(second->declared <= first->content.size());
  CHECK(decode(coding, second->content).content == plan.behind.content);
  CHECK(decode(coding, second->content).is_complete);
  CHECK(second->line("ETag") == "W/\"1-" + coding + "\"");
  CHECK(second->line("Content-Encoding") == coding);
  CHECK(second->line("Vary") == "Accept-Encoding");
  CHECK(second->line("Accept-Ranges").empty());
  CHECK(second->lines == first->lines);
  CHECK(rig.server.counters["coded"] == 1);
  CHECK(rig.server.counters["from_memory"] == 1);
  plan.method = Method::head;
  const auto head = answer(plan);
  CHECK(head->declared == second->declared);
  CHECK(head->lines == second->lines);
}

TEST_CASE_METHOD(Fixture, "another tag, path, host, query or coding is other content", "[compress]") {
  CHECK_FALSE(is_from_memory(plan_of()));
  CHECK(is_from_memory(plan_of()));
  CHECK_FALSE(is_from_memory(plan_of("a", "\"2\"")));
  CHECK_FALSE(is_from_memory(plan_of("b")));
  CHECK_FALSE(is_from_memory(plan_of("a", "\"1\"", 49'999)));
  RequestPlan plan = plan_of();
  SECTION("host") {
    plan.authority = "example.com";
  }
  SECTION("query") {
    plan.query = "x";
  }
  SECTION("scheme") {
    plan.scheme = "https";
  }
  SECTION("coding") {
    plan.fields = {{"Accept-Encoding", "gzip"}};
  }
  CHECK_FALSE(is_from_memory(plan));
  CHECK(is_from_memory(plan));
  CHECK(is_from_memory(plan_of()));
}

TEST_CASE_METHOD(Fixture, "what has no strong tag, no size, or one user is not kept", "[compress]") {
  RequestPlan plan = plan_of();
  SECTION("no tag") {
    plan = plan_of("a", "");
  }
  SECTION("a weak tag") {
    plan = plan_of("a", "W/\"1\"");
  }
  SECTION("a malformed tag") {
    plan = plan_of("a", GENERATE("1", "\"", "\"\""));
  }
  SECTION("no size") {
    plan.behind.has_size = false;
  }
  SECTION("too large") {
    plan = plan_of("a", "\"1\"", (1 << 20) + 1);
  }
  SECTION("private") {
    plan.behind.lines.emplace_back("Cache-Control", "max-age=1, Private=\"x\"");
  }
  SECTION("it depends on a cookie") {
    plan.behind.lines.emplace_back("Vary", "Accept-Encoding, Cookie");
  }
  SECTION("no-store") {
    plan.behind.lines.emplace_back("Cache-Control", "no-store");
  }
  SECTION("cookies") {
    plan.behind.lines.emplace_back("Set-Cookie", "a=b");
  }
  SECTION("passwords") {
    plan.fields.emplace_back("Authorization", "Basic eDp5");
  }
  SECTION("another method") {
    plan.method = Method::post;
  }
  for (int i = 0; i < 2; ++i) CHECK_FALSE(is_from_memory(plan));
  CHECK(rig.server.works_offered == 0);
}

TEST_CASE_METHOD(Fixture, "without the option nothing is kept", "[compress]") {
  filter = rig.mount("", {});
  for (int i = 0; i < 2; ++i) CHECK_FALSE(is_from_memory(plan_of()));
}

TEST_CASE_METHOD(Fixture, "content that coding does not make shorter is sent as it is", "[compress]") {
  std::mt19937 random(5);
  RequestPlan plan = plan_of();
  for (char& byte : plan.behind.content) byte = static_cast<char>(random());
  CHECK(answer(plan)->line("Content-Encoding") == "br");
  const auto second = answer(plan);
  CHECK(second->line("Content-Encoding").empty());
  CHECK(second->line("ETag") == "\"1\"");
  CHECK(second->line("Vary") == "Accept-Encoding");
  CHECK(second->content == plan.behind.content);
}

TEST_CASE_METHOD(Fixture, "what was not asked for longest makes room", "[compress]") {
  filter = rig.mount("", {{"variants_max", "60000"}});
  const std::size_t size = [&] {
    answer(plan_of("0"));
    return answer(plan_of("0"))->content.size();
  }();
  const auto fit = 60'000 / (size + 300);
  REQUIRE(fit >= 2);
  for (std::size_t i = 1; i < fit; ++i) answer(plan_of(std::to_string(i)));
  CHECK(is_from_memory(plan_of("0")));
  answer(plan_of("new"));
  CHECK(is_from_memory(plan_of("0")));
  CHECK(is_from_memory(plan_of("new")));
  CHECK_FALSE(is_from_memory(plan_of("1")));
}

TEST_CASE_METHOD(Fixture, "attempts that fail are made again", "[compress]") {
  SECTION("the client leaves") {
    auto left = rig.start(plan_of(), filter);
    left->cancel();
  }
  SECTION("no thread is free") {
    rig.server.refuse_offloads = 1;
    answer(plan_of());
  }
  SECTION("a thread was free too late") {
    rig.server.expire_offloads = true;
    answer(plan_of());
    rig.server.expire_offloads = false;
  }
  CHECK_FALSE(is_from_memory(plan_of()));
  CHECK(is_from_memory(plan_of()));
}

TEST_CASE_METHOD(Fixture, "one attempt is made at a time, and slow clients give way", "[compress]") {
  std::vector<Answer> slow;
  for (const char* path : {"a", "a", "b", "c", "d"}) {
    slow.push_back(rig.start(plan_of(path), filter));
    slow.back()->takes_nothing = true;
  }
  CHECK_FALSE(is_from_memory(plan_of("e")));
  CHECK_FALSE(is_from_memory(plan_of("e")));
  CHECK(rig.server.works_offered == 0);
  rig.server.advance_clock(10'002);
  rig.server.turn();
  CHECK_FALSE(is_from_memory(plan_of("e")));
  CHECK(is_from_memory(plan_of("e")));
  CHECK(rig.server.works_offered == 1);
  // Their content comes whole, all the same.
  for (const auto& one : slow) {
    one->takes_nothing = false;
    CHECK(rig.server.run_until([&] { return one->ended(); }));
    CHECK(decode("br", one->content).content == words_of(50'000, 1));
  }
  CHECK(rig.server.works_offered == 1);
}

TEST_CASE_METHOD(Fixture, "what waits for a thread for long is not begun again", "[compress]") {
  rig.server.pause_offload(true);
  rig.run(plan_of(), filter);
  rig.server.advance_clock(10'002);
  rig.server.turn();
  rig.run(plan_of(), filter);
  CHECK(rig.server.works_offered == 1);
  rig.server.pause_offload(false);
  CHECK(rig.server.run_until([&] { return rig.server.offload_idle(); }));
  CHECK(is_from_memory(plan_of()));
}

TEST_CASE_METHOD(Fixture, "a filter that is replaced keeps nothing", "[compress]") {
  CHECK_FALSE(is_from_memory(plan_of()));
  rig.retire();
  for (int i = 0; i < 2; ++i) CHECK_FALSE(is_from_memory(plan_of()));
}
