// The filter compress with dictionaries (RFC 9842): what is kept, and what is coded with it.
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "modules/decoding.h"
#include "modules/dictionary_fixture.h"

using namespace sluice;
using namespace sluice::test;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

RequestPlan asked(unsigned version, const std::string& query) {
  RequestPlan plan = plan_of(version, "/m/app.js?" + query);
  plan.query = query;
  return plan;
}

}  // namespace

TEST_CASE_METHOD(DictionaryFixture, "a version that the client has codes the next one", "[compress]") {
  const auto first = answer(plan_of(1));
  CHECK(first->line("Content-Encoding") == "zstd");
  CHECK(first->line("Use-As-Dictionary") == "match=\"/m/app.js\"");
  CHECK(first->line("Vary") == "Accept-Encoding, Available-Dictionary");
  const std::string dictionary = script_of(1);
  RequestPlan plan = with(plan_of(2), dictionary);
  const auto before = answer(plan);
  CHECK(before->line("Content-Encoding") == "zstd");
  CHECK(decode("zstd", before->content).content == script_of(2));
  plan.behind.lines.emplace_back("Accept-Ranges", "bytes");
  plan.behind.lines.emplace_back("Last-Modified", "x");
  plan.sink.room = GENERATE(100U, 1U << 20);
  const auto delta = answer(plan);
  CHECK(delta->line("Content-Encoding") == "dcz");
  CHECK(decode_dcz(dictionary, delta->content) == script_of(2));
  CHECK(delta->content.size() < 1000);
  CHECK(delta->declared == delta->content.size());
  CHECK(delta->line("Use-As-Dictionary") == "match=\"/m/app.js\"");
  CHECK(delta->line("Vary") == "Accept-Encoding, Available-Dictionary");
  CHECK_THAT(delta->line("ETag"), StartsWith("W/\"2-dcz-") && EndsWith("\""));
  CHECK(delta->line("ETag").size() == 9 + 16 + 1);
  for (const char* name : {"Accept-Ranges", "Last-Modified"}) CHECK(delta->line(name).empty());
  CHECK(rig.server.counters["from_dictionary"] == 1);
  CHECK(rig.server.works_offered == 2);
  plan.method = Method::head;
  const auto head = answer(plan);
  CHECK(head->lines == delta->lines);
  CHECK(head->declared == delta->declared);
  CHECK(head->content.empty());
  plan.method = Method::get;
  plan.fields.emplace_back("If-None-Match", delta->line("ETag"));
  const auto same = answer(plan);
  CHECK(same->code == 304);
  CHECK(same->line("ETag") == delta->line("ETag"));
  CHECK(same->line("Vary") == "Accept-Encoding, Available-Dictionary");
  CHECK(same->line("Content-Encoding").empty());
}

TEST_CASE_METHOD(DictionaryFixture, "a delta is made once for two versions, whoever asks", "[compress]") {
  answer(plan_of(1));
  const RequestPlan plan = with(plan_of(2), script_of(1));
  answer(plan);
  CHECK(rig.server.works_offered == 2);
  for (int i = 0; i < 5; ++i) CHECK(coding(plan) == "dcz");
  RequestPlan other = plan;
  other.fields[0].second = "br, dcz";
  CHECK(coding(other) == "dcz");
  CHECK(rig.server.works_offered == 2);
  // Without a dictionary nothing changes.
  CHECK(coding(plan_of(2)) == "zstd");
  CHECK(rig.server.works_offered == 2);
}

TEST_CASE_METHOD(DictionaryFixture, "whoever got a delta asks again for little", "[compress]") {
  answer(plan_of(1));
  const RequestPlan plan = with(plan_of(2), script_of(1));
  REQUIRE(coding_at_last(plan) == "dcz");
  RequestPlan again = with(plan_of(2), script_of(2));
  again.fields.emplace_back("If-None-Match", answer(plan)->line("ETag"));
  const auto same = answer(again);
  CHECK(same->line("Content-Encoding") == "dcz");
  CHECK(same->content.size() < 200);
  CHECK(decode_dcz(script_of(2), same->content) == script_of(2));
  again.fields.back().second = same->line("ETag");
  CHECK(answer(again)->code == 304);
  CHECK(rig.server.works_offered == 2);
}

TEST_CASE_METHOD(DictionaryFixture, "a tag of content that was coded with one dictionary is no tag for another",
                 "[compress]") {
  for (const unsigned version : {1U, 2U}) answer(plan_of(version));
  RequestPlan one = with(plan_of(3), script_of(1));
  RequestPlan two = with(plan_of(3), script_of(2));
  CHECK(coding_at_last(one) == "dcz");
  CHECK(coding_at_last(two) == "dcz");
  const std::string tag = answer(one)->line("ETag");
  CHECK(answer(two)->line("ETag") != tag);
  two.fields.emplace_back("If-None-Match", tag);
  CHECK(answer(two)->code == 200);
  RequestPlan plain = plan_of(3);
  plain.fields.emplace_back("If-None-Match", tag);
  CHECK(answer(plain)->code == 200);
}

TEST_CASE_METHOD(DictionaryFixture, "a delta is made, too, if the content is kept in another coding already",
                 "[compress]") {
  answer(plan_of(1));
  for (int i = 0; i < 2; ++i) CHECK(coding(plan_of(2)) == "zstd");
  const RequestPlan plan = with(plan_of(2), script_of(1));
  const auto recorded = answer(plan);
  CHECK(recorded->line("Content-Encoding") == "zstd");
  CHECK(decode("zstd", recorded->content).content == script_of(2));
  CHECK(coding(plan) == "dcz");
}

TEST_CASE_METHOD(DictionaryFixture, "whoever cannot be recorded gets what is kept", "[compress]") {
  filter = rig.mount("", {{"variants_max", "1M"}, {"streams_max", "1"}});
  answer(plan_of(1));
  for (int i = 0; i < 2; ++i) answer(plan_of(2));
  const auto slow = rig.start(plan_of(3, "/m/other.js"), filter);
  slow->takes_nothing = true;
  const std::uint64_t before = rig.server.counters["from_memory"];
  CHECK(coding(with(plan_of(2), script_of(1))) == "zstd");
  CHECK(rig.server.counters["from_memory"] == before + 1);
}

TEST_CASE_METHOD(DictionaryFixture, "attempts at deltas that fail are made again", "[compress]") {
  answer(plan_of(1));
  const RequestPlan plan = with(plan_of(2), script_of(1));
  SECTION("the client leaves") {
    rig.start(plan, filter)->cancel();
  }
  SECTION("no thread is free") {
    rig.server.refuse_offloads = 1;
    answer(plan);
  }
  SECTION("a thread was free too late") {
    rig.server.expire_offloads = true;
    answer(plan);
    rig.server.expire_offloads = false;
  }
  CHECK(coding(plan) == "zstd");
  CHECK(coding(plan) == "dcz");
}

TEST_CASE_METHOD(DictionaryFixture, "only what is kept for the same place is a dictionary", "[compress]") {
  answer(plan_of(1));
  RequestPlan plan = plan_of(2);
  SECTION("another path") {
    plan = plan_of(2, "/m/other.js");
  }
  SECTION("another host") {
    plan.authority = "example.com";
  }
  SECTION("another content") {
    CHECK(coding_at_last(with(plan, script_of(7))) == "zstd");
    CHECK(coding_at_last(with(plan, "")) == "zstd");
    return;
  }
  CHECK(coding_at_last(with(plan, script_of(1))) == "zstd");
}

TEST_CASE_METHOD(DictionaryFixture, "the same path with another query is the same place", "[compress]") {
  CHECK(coding_of_change(plan_of(1, "/m/app.js?v=1"), plan_of(2, "/m/app.js?v=2")) == "dcz");
}

TEST_CASE_METHOD(DictionaryFixture, "the same content under another query has the same delta", "[compress]") {
  answer(plan_of(1));
  REQUIRE(coding_at_last(with(asked(2, "a"), script_of(1))) == "dcz");
  answer(asked(2, "b"));
  const std::uint64_t before = rig.server.works_offered;
  CHECK(coding(with(asked(2, "b"), script_of(1))) == "dcz");
  CHECK(rig.server.works_offered == before);
}

TEST_CASE_METHOD(DictionaryFixture, "one delta of a file is made at a time", "[compress]") {
  answer(plan_of(1));
  std::vector<Answer> slow;
  for (const char* query : {"a", "b"}) {
    slow.push_back(rig.start(with(asked(2, query), script_of(1)), filter));
    slow.back()->takes_nothing = true;
  }
  const std::uint64_t before = rig.server.counters["from_memory"];
  for (int i = 0; i < 2; ++i) answer(plan_of(1, "/m/other.js"));
  CHECK(rig.server.counters["from_memory"] == before + 1);
}

TEST_CASE_METHOD(DictionaryFixture, "a later hash in the name is the same place", "[compress]") {
  CHECK(coding_of_change(plan_of(1, "/m/app-3f2b9c1d.js"), plan_of(2, "/m/app-9c1d3f2b.js")) == "dcz");
  CHECK(coding_at_last(with(plan_of(2, "/m/map-9c1d3f2b.js"), script_of(1))) == "zstd");
}

TEST_CASE_METHOD(DictionaryFixture, "a delta that is no shorter than the other coding is not sent",
                 "[compress]") {
  const auto noise = [](unsigned seed) {
    std::mt19937 random(seed);
    std::string text(20'000, ' ');
    for (char& byte : text) byte = static_cast<char>('A' + random() % 32);
    return text;
  };
  RequestPlan first = plan_of(1);
  RequestPlan second = plan_of(2);
  first.behind.content = noise(1);
  second.behind.content = noise(2);
  answer(first);
  RequestPlan plan = with(second, first.behind.content);
  SECTION("the content is kept already") {
    answer(second);
    for (int i = 0; i < 3; ++i) CHECK(coding(plan) == "zstd");
    CHECK(rig.server.works_offered == 3);
    plan.fields[0].second = "br, dcz";
    CHECK(coding(plan) == "br");
  }
  SECTION("the content is new") {
    for (int i = 0; i < 3; ++i) CHECK(coding(plan) == "zstd");
    CHECK(rig.server.works_offered == 2);
    plan.fields[0].second = "br, dcz";
    CHECK(coding(plan) == "br");
  }
}

TEST_CASE_METHOD(DictionaryFixture, "the last three versions are kept", "[compress]") {
  for (unsigned version = 1; version <= 4; ++version) answer(plan_of(version));
  CHECK(coding_at_last(with(plan_of(5), script_of(2))) == "zstd");
  CHECK(coding_at_last(with(plan_of(5), script_of(3))) == "dcz");
  CHECK(coding_at_last(with(plan_of(5), script_of(4))) == "dcz");
  CHECK(coding_at_last(with(plan_of(5), script_of(5))) == "dcz");
}

TEST_CASE_METHOD(DictionaryFixture, "earlier versions give all of their room back", "[compress]") {
  filter = rig.mount("", {{"variants_max", "400k"}});
  for (unsigned version = 1; version <= 30; ++version) answer(plan_of(version));
  CHECK(coding_at_last(with(plan_of(31), script_of(29))) == "dcz");
}

TEST_CASE_METHOD(DictionaryFixture, "a version that is sent again and again does not make room", "[compress]") {
  filter = rig.mount("", {{"variants_max", "400k"}});
  answer(plan_of(1));
  for (unsigned i = 0; i < 20; ++i) {
    answer(plan_of(1, "/m/other" + std::to_string(i) + ".js"));
    answer(plan_of(1));
  }
  CHECK(coding_at_last(with(plan_of(2), script_of(1))) == "dcz");
  CHECK(coding_at_last(with(plan_of(2, "/m/other1.js"), script_of(1))) == "zstd");
}

TEST_CASE_METHOD(DictionaryFixture, "coded content makes no room for versions", "[compress]") {
  filter = rig.mount("", {{"variants_max", "400k"}});
  const auto target = [](unsigned i) { return "/m/" + std::to_string(i) + ".js"; };
  // 20 of about 15 kB have room, and 8 of 50 kB would not.
  for (unsigned i = 0; i < 20; ++i) answer(plan_of(1, target(i)));
  const std::uint64_t before = rig.server.counters["from_memory"];
  for (unsigned i = 0; i < 20; ++i) answer(plan_of(1, target(i)));
  // One may be coded again, to keep its version.
  CHECK(rig.server.counters["from_memory"] >= before + 19);
}

TEST_CASE_METHOD(DictionaryFixture, "a version that is sent as a delta does not make room", "[compress]") {
  answer(plan_of(1));
  const RequestPlan plan = with(plan_of(2), script_of(1));
  answer(plan);
  for (unsigned i = 0; i < 20; ++i) {
    answer(plan_of(1, "/m/other" + std::to_string(i) + ".js"));
    CHECK(coding(plan) == "dcz");
  }
  CHECK(coding_at_last(with(plan_of(3), script_of(2))) == "dcz");
}

TEST_CASE_METHOD(DictionaryFixture, "a version that is sent again is the latest one", "[compress]") {
  for (const unsigned version : {1U, 2U, 1U, 3U, 4U}) answer(plan_of(version));
  CHECK(coding_at_last(with(plan_of(3), script_of(2))) == "zstd");
  CHECK(coding_at_last(with(plan_of(3), script_of(1))) == "dcz");
}

TEST_CASE_METHOD(DictionaryFixture, "a version that has made room is kept when it is sent again",
                 "[compress]") {
  const auto records = [&](const std::string& target) {
    const std::uint64_t before = rig.server.works_offered;
    const auto answered = answer(plan_of(1, target));
    CHECK(decode("zstd", answered->content).content == script_of(1));
    return rig.server.works_offered > before;
  };
  for (const char* target : {"/m/app.js", "/m/late.js"}) CHECK(records(target));
  for (unsigned i = 0; i < 8; ++i) CHECK(records("/m/other" + std::to_string(i) + ".js"));
  CHECK(records("/m/app.js"));
  CHECK_FALSE(records("/m/app.js"));
  // One at a time.
  CHECK_FALSE(records("/m/late.js"));
  rig.server.advance_clock(10'001);
  rig.server.turn();
  RequestPlan head = plan_of(1, "/m/late.js");
  head.method = Method::head;
  answer(head);
  CHECK(records("/m/late.js"));
  for (const char* target : {"/m/app.js", "/m/late.js"})
    CHECK(coding_at_last(with(plan_of(2, target), script_of(1))) == "dcz");
}

TEST_CASE_METHOD(DictionaryFixture, "there are none if they are off, or if nothing is kept", "[compress]") {
  filter = rig.mount(
      "", GENERATE(std::map<std::string, std::string>{{"variants_max", "1M"}, {"dictionaries", "off"}},
                   std::map<std::string, std::string>{}));
  const auto answered = answer(plan_of(1));
  CHECK(answered->line("Use-As-Dictionary").empty());
  CHECK(answered->line("Vary") == "Accept-Encoding");
  CHECK(coding_at_last(with(plan_of(2), script_of(1))) == "zstd");
}

TEST_CASE_METHOD(DictionaryFixture, "a filter that is replaced has no dictionaries", "[compress]") {
  answer(plan_of(1));
  rig.retire();
  CHECK(coding_at_last(with(plan_of(2), script_of(1))) == "zstd");
}
