// kit/events.h: what clients of a channel get, also when they are slow, come again, or leave.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "support/module_rig.h"

using namespace sluice;
using Catch::Matchers::Contains;
using test::Answer;
using test::ModuleRig;
using test::RequestPlan;

namespace {

struct Fixture {
  ModuleRig rig{SLUICE_TEST_MODULES "/kit_events.so"};
  void mount(const std::map<std::string, std::string>& options = {}) { rig.mount("", options); }

  Answer listen(const std::string& last_id = "", test::SinkPlan sink = {}) {
    RequestPlan plan;
    if (!last_id.empty()) plan.fields = {{"Last-Event-ID", last_id}};
    plan.sink = std::move(sink);
    Answer answer = rig.start(std::move(plan));
    settle();
    return answer;
  }
  Answer post(const std::string& path, const std::string& text, const std::string& event = "") {
    RequestPlan plan;
    plan.method = Method::post;
    plan.path = path;
    plan.body = {text};
    if (!event.empty()) plan.query = "event=" + event;
    Answer answer = rig.run(std::move(plan));
    settle();
    return answer;
  }
  void tell(const std::string& text, const std::string& event = "") {
    CHECK(post("", text, event)->code == 204);
  }
  void settle() {
    for (int i = 0; i < 3; ++i) rig.server.turn(0);
  }
  std::string clients() { return rig.get("clients")->content; }
  // The content without the lines that say ids, and without the empty line behind the first one.
  static std::string events(const Answer& answer) {
    std::string text;
    for (std::size_t at = 0; at < answer->content.size();) {
      const std::size_t end = std::min(answer->content.find('\n', at), answer->content.size() - 1) + 1;
      if (answer->content.compare(at, 4, "id: ") != 0) text += answer->content.substr(at, end - at);
      at = end;
    }
    return text.starts_with('\n') ? text.substr(1) : text;
  }
  static std::string last_id(const Answer& answer) {
    const std::size_t at = answer->content.rfind("id: ") + 4;
    return answer->content.substr(at, answer->content.find('\n', at) - at);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "all clients of a channel get the events that are published", "[kit]") {
  mount();
  const Answer one = listen();
  const Answer other = listen();
  CHECK(one->line("Content-Type") == "text/event-stream");
  CHECK(one->line("Cache-Control") == "no-cache");
  CHECK(one->declared == kUnknownSize);
  CHECK(clients() == "2");
  tell("first");
  tell("two\nlines\r\nor\rfour", "news");
  tell("");
  const std::string expected =
      "data: first\n\nevent: news\ndata: two\ndata: lines\ndata: or\ndata: four\n\ndata: \n\n";
  CHECK(events(one) == expected);
  CHECK(events(other) == expected);
  CHECK(last_id(one) == last_id(other));
  CHECK(post("", "x", "a%0Ab")->code == 400);
  CHECK(events(listen()).empty());  // one that comes later gets what comes later
}

TEST_CASE_METHOD(Fixture, "a client that comes again gets what it has missed", "[kit]") {
  mount({{"kept", "3"}});
  std::string seen;
  {
    const Answer before = listen();
    tell("1");
    seen = last_id(before);
  }
  CHECK(clients() == "0");
  tell("2");
  tell("3");
  CHECK(events(listen(seen)) == "data: 2\n\ndata: 3\n\n");
  tell("4");
  CHECK(events(listen(seen)) == "data: 2\n\ndata: 3\n\ndata: 4\n\n");
  tell("5");
  const Answer late = listen(seen);
  CHECK(events(late) == "event: missed\ndata: 1\n\ndata: 3\n\ndata: 4\n\ndata: 5\n\n");
  CHECK(events(listen(last_id(late))).empty());
}

TEST_CASE_METHOD(Fixture, "a client that has got no event misses none when it comes again", "[kit]") {
  mount();
  for (const char* text : {"1", "2"}) {
    const Answer before = listen();
    const std::string id = last_id(before);
    CHECK(before->content == "id: " + id + "\n\n");
    tell(text);
    CHECK(events(listen(id)) == "data: " + std::string(text) + "\n\n");
  }
}

TEST_CASE_METHOD(Fixture, "ids that the channel has not given mean that nobody knows what was missed",
                 "[kit]") {
  mount();
  const Answer first = listen();
  tell("1");
  const std::string id = last_id(first);
  for (const std::string& other :
       {std::string("7"), std::string("x-1"), id + "0", id + "x", id.substr(0, id.size() - 1)}) {
    INFO(other);
    const Answer answer = listen(other);
    CHECK(events(answer) == "event: missed\ndata: unknown\n\n");
    CHECK(last_id(answer) == id);
  }
}

TEST_CASE_METHOD(Fixture, "a slow client is told what it has missed, and costs no memory", "[kit]") {
  mount({{"kept", "2"}});
  const Answer slow = listen();
  slow->takes_nothing = true;
  for (int i = 1; i <= 5; ++i) tell(std::to_string(i));
  slow->takes_nothing = false;
  settle();
  CHECK(events(slow) == "event: missed\ndata: 3\n\ndata: 4\n\ndata: 5\n\n");
}

TEST_CASE_METHOD(Fixture, "a slow client may be cut, and is told when it comes again", "[kit]") {
  mount({{"kept", "2"}, {"cut", "on"}});
  const Answer slow = listen();
  tell("1");
  slow->takes_nothing = true;
  for (int i = 2; i <= 5; ++i) tell(std::to_string(i));
  slow->takes_nothing = false;
  settle();
  CHECK(slow->cut);
  CHECK(events(slow) == "data: 1\n\n");
  CHECK(events(listen(last_id(slow))) == "event: missed\ndata: 2\n\ndata: 4\n\ndata: 5\n\n");
}

TEST_CASE_METHOD(Fixture, "a client that takes few bytes at a time gets whole events", "[kit]") {
  mount({{"kept", "1"}});
  const Answer slow = listen("", {.room = 3, .socket = {2, 0, 1}});
  rig.server.run_until([&] { return slow->content.ends_with("\n\n"); });  // the id
  tell("a long event that takes many turns");
  tell("another one");
  rig.server.run_until([&] { return events(slow).ends_with("data: another one\n\n"); });
  CHECK(events(slow) == "data: a long event that takes many turns\n\ndata: another one\n\n");
}

TEST_CASE_METHOD(Fixture, "few bytes are kept, but always the last event", "[kit]") {
  mount({{"kept", "100"}, {"bytes", "1"}});
  const Answer first = listen();
  tell("1");
  const std::string id = last_id(first);
  tell("2");
  tell(std::string(1000, 'x'));
  CHECK(events(listen(id)) == "event: missed\ndata: 1\n\ndata: " + std::string(1000, 'x') + "\n\n");
}

TEST_CASE_METHOD(Fixture, "silence is broken by comments, for those who wait", "[kit]") {
  mount();
  const Answer one = listen();
  const auto pass = [&](std::uint64_t ms) {
    rig.server.advance_clock(ms);
    settle();
  };
  pass(9'000);
  CHECK(events(one).empty());
  pass(1'001);
  CHECK(events(one) == ":\n\n");
  pass(10'001);
  CHECK(events(one) == ":\n\n:\n\n");
  tell("1");
  one->takes_nothing = true;
  tell("2");
  pass(10'001);  // it does not wait: it has something to take
  one->takes_nothing = false;
  settle();
  CHECK(events(one) == ":\n\n:\n\ndata: 1\n\ndata: 2\n\n");
  pass(10'001);
  CHECK(events(one) == ":\n\n:\n\ndata: 1\n\ndata: 2\n\n:\n\n");
}

TEST_CASE_METHOD(Fixture, "a closed channel ends its streams, and others as they begin", "[kit]") {
  mount();
  const Answer one = listen();
  const Answer slow = listen();
  slow->takes_nothing = true;
  tell("1");
  CHECK(post("close", "")->code == 204);
  CHECK(one->complete);
  CHECK_FALSE(slow->ended());
  slow->takes_nothing = false;
  settle();
  CHECK(slow->complete);
  CHECK(events(slow) == "data: 1\n\n");
  // Browsers come again after such an answer, but not after 503.
  const Answer late = listen();
  CHECK(late->code == 200);
  CHECK(late->line("Content-Type") == "text/event-stream");
  CHECK(late->complete);
  CHECK(late->content.empty());
  CHECK(late->declared == 0);  // it is no client, not even for a moment
  CHECK(clients() == "0");
}

TEST_CASE_METHOD(Fixture, "a channel ends its streams when its handler retires, or its worker leaves",
                 "[kit]") {
  mount();
  const Answer one = listen();
  SECTION("retires") {
    rig.retire();
  }
  SECTION("leaves") {
    rig.leave();
  }
  settle();
  CHECK(one->complete);
}

TEST_CASE_METHOD(Fixture, "clients may leave, ask for the head, or be too many", "[kit]") {
  mount({{"clients", "2"}});
  const Answer one = listen();
  {
    const Answer other = listen();
    CHECK(clients() == "2");
    CHECK(listen()->code == 503);
    other->cancel();
  }
  CHECK(clients() == "1");
  RequestPlan head;
  head.method = Method::head;
  CHECK(rig.run(std::move(head))->line("Content-Type") == "text/event-stream");
  CHECK(clients() == "1");
  tell("1");
  CHECK(events(one) == "data: 1\n\n");
}
