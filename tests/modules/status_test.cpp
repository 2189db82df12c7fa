// The module status alone: who may see it, and what it answers from the server's answers.
#include <catch2/catch.hpp>

#include "support/module_rig.h"

using Catch::Matchers::Contains;
using sluice::Method;
using sluice::test::Answer;
using sluice::test::ModuleRig;
using sluice::test::RequestPlan;

namespace {

struct Client {
  std::string address;  // in network order
  std::string text;
};
const Client kHere{{"\x7f\0\0\1", 4}, "127.0.0.1:49152"};
const Client kElsewhere{{"\xc0\0\2\1", 4}, "192.0.2.1:49152"};

struct Fixture {
  ModuleRig rig{SLUICE_TEST_PLUGINS "/status.so"};

  Fixture() {
    rig.server.answers = {
        {"metrics", "sluice_up 1\n"}, {"status", "{\"state\":\"ready\"}\n"}, {"health", "ready\n"}};
  }
  Answer begin(RequestPlan plan, const Client& client = kHere) {
    if (plan.authority == RequestPlan().authority) plan.authority = "localhost";
    plan.client = client.text;
    plan.address = client.address;
    return rig.start(plan);
  }
  Answer ask(const RequestPlan& plan, const Client& client = kHere) {
    Answer answer = begin(plan, client);
    REQUIRE(rig.server.run_until([&] { return answer->ended(); }));
    return answer;
  }
  Answer get(const std::string& path, const Client& client = kHere) {
    RequestPlan plan;
    plan.path = path;
    return ask(plan, client);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "metrics and status are the server's own texts", "[status]") {
  rig.mount("");
  CHECK(std::string(rig.info().default_mount) == "/-/");
  const Answer metrics = get("metrics");
  CHECK(metrics->code == 200);
  CHECK(metrics->content == "sluice_up 1\n");
  CHECK(metrics->line("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(metrics->line("Cache-Control") == "no-store");
  CHECK(metrics->line("X-Content-Type-Options") == "nosniff");
  const Answer status = get("status.json");
  CHECK(status->content == "{\"state\":\"ready\"}\n");
  CHECK(status->line("Content-Type") == "application/json");
  CHECK(get("nothing")->code == 404);
  CHECK(get("metrics/")->code == 404);
  RequestPlan post;
  post.method = Method::post;
  const Answer refused = ask(post);
  CHECK(refused->code == 405);
  CHECK(refused->line("Allow") == "GET, HEAD");
}

TEST_CASE_METHOD(Fixture, "only clients on this host see it, and those that are allowed", "[status]") {
  const std::string loopback("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
  const std::string compatible("\0\0\0\0\0\0\0\0\0\0\0\0\x7f\0\0\1", 16);  // no address of this host
  const auto code = [&](const Client& client) { return get("health/live", client)->code; };
  SECTION("by default") {
    rig.mount("");
    CHECK(code(kHere) == 200);
    CHECK(code({{"\x7f\xff\xff\xfe", 4}, "127.255.255.254:1"}) == 200);
    CHECK(code({loopback, "[::1]:1"}) == 200);
    CHECK(code({"", "unix:"}) == 403);  // it may be a proxy
    CHECK(code(kElsewhere) == 403);
    CHECK(code({compatible, "[::7f00:1]:1"}) == 403);
    CHECK(code({"", ""}) == 403);                 // the system no longer knows it
    CHECK(code({"\x7f", "127.0.0.1:1"}) == 403);  // no address
    CHECK(code({{"\x80\0\0\1", 4}, "128.0.0.1:1"}) == 403);
    const Answer refused = get("", kElsewhere);
    CHECK_THAT(refused->content, Contains("the option allow of the module status names others."));
    CHECK(rig.server.counters["refused"] > 0);
    CHECK(rig.server.questions.empty());
  }
  SECTION("with allow") {
    rig.mount("", {{"allow", "192.0.2.0/24\n2001:db8::/32"}});
    CHECK(code(kElsewhere) == 200);
    CHECK(code({"", "unix:"}) == 403);
    CHECK(code(kHere) == 200);
    CHECK(code({{"\xc0\0\3\1", 4}, "192.0.3.1:1"}) == 403);
    CHECK(code({std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16), "[2001:db8::1]:1"}) == 200);
  }
  SECTION("with a mistake") {
    CHECK_THROWS_WITH(rig.mount("", {{"allow", "192.0.2.1/24"}}),
                      Contains("the option allow has '192.0.2.1/24': write an address"));
  }
}

TEST_CASE_METHOD(Fixture, "what a proxy on this host passes on is not from this host", "[status]") {
  RequestPlan plan;
  plan.path = "health/live";
  const std::string name =
      GENERATE("Forwarded", "X-Forwarded-For", "X-FORWARDED-PROTO", "x-forwarded", "x-real-ip", "VIA");
  plan.fields = {{"Accept", "*/*"}, {name, "127.0.0.1"}};
  SECTION("by default it is refused") {
    rig.mount("");
    CHECK(ask(plan)->code == 403);
    CHECK(ask(plan, {"", "unix:"})->code == 403);
  }
  SECTION("allow may name the proxy") {
    rig.mount("", {{"allow", "127.0.0.1\nunix"}});
    CHECK(ask(plan)->code == 200);
    CHECK(ask(plan, {"", "unix:"})->code == 200);
  }
}

TEST_CASE_METHOD(Fixture, "a name of another site that leads to this host does not open the status",
                 "[status]") {
  const auto code = [&](const std::string& authority, const Client& client = kHere) {
    RequestPlan plan;
    plan.path = "health/live";
    plan.authority = authority;
    return begin(plan, client)->code;
  };
  rig.mount("", {{"allow", "192.0.2.1"}});
  for (const char* own :
       {"localhost", "LOCALHOST:8080", "127.0.0.1", "192.0.2.9:80", "[::1]", "[::1]:8080", ""}) {
    CAPTURE(own);
    CHECK(code(own) == 200);
  }
  for (const char* other : {"example.com", "localhost.example.com", "xlocalhost", "127.0.0.1.example.com",
                            "::1", "[::1", "[localhost]", "1.2.3:80", ".", "localhost."}) {
    CAPTURE(other);
    CHECK(code(other) == 403);
    CHECK(code(other, kElsewhere) == 200);  // whom allow names
  }
}

TEST_CASE_METHOD(Fixture, "requests that come together share one question", "[status]") {
  rig.mount("");
  rig.server.withhold_answers = true;
  RequestPlan plan;
  plan.path = "metrics";
  std::vector<Answer> answers;
  for (int i = 0; i < 3; ++i) answers.push_back(begin(plan));
  answers[1]->cancel();
  rig.server.turn();
  CHECK(answers[0]->answers == 0);
  CHECK(rig.server.questions == std::vector<std::string>{"metrics"});
  rig.server.withhold_answers = false;
  for (const unsigned i : {0U, 2U}) {
    REQUIRE(rig.server.run_until([&] { return answers[i]->ended(); }));
    CHECK(answers[i]->content == "sluice_up 1\n");
  }
  CHECK(get("metrics")->code == 200);
  CHECK(rig.server.questions.size() == 2);
}

TEST_CASE_METHOD(Fixture, "without an answer of the server it is not available for a moment", "[status]") {
  rig.mount("");
  SECTION("the question is refused") {
    rig.server.answers.clear();
  }
  SECTION("the supervisor does not answer") {
    rig.server.expire_questions = true;
  }
  const Answer metrics = get("metrics");
  CHECK(metrics->code == 503);
  CHECK(metrics->line("Retry-After") == "1");
  CHECK(get("status.json")->code == 503);
  const Answer ready = get("health/ready");
  CHECK(ready->code == 503);
  CHECK(ready->content == "not ready: the supervisor does not answer\n");
  CHECK(get("health/live")->code == 200);
}

TEST_CASE_METHOD(Fixture, "ready tells balancers whether to send requests", "[status]") {
  std::string& health = rig.server.answers["health"];
  SECTION("modules that are switched off are named, but do no harm") {
    rig.mount("");
    health = "ready\non hello\noff api\n";
    const Answer ready = get("health/ready");
    CHECK(ready->code == 200);
    CHECK(ready->content == "ready\nmodule api is switched off\n");
  }
  SECTION("unless they are needed") {
    rig.mount("", {{"needs", "hello\napi"}});
    health = "ready\non hello\non api\nlater words\n";
    CHECK(get("health/ready")->content == "ready\n");
    health = "ready\non hello\noff api\n";
    const Answer off = get("health/ready");
    CHECK(off->code == 503);
    CHECK_THAT(off->content, Contains("not ready: module api does not serve, and the option needs names it\n"));
    health = "ready\non hello\n";
    CHECK(get("health/ready")->code == 503);
  }
  SECTION("a server that begins or ends is not ready") {
    rig.mount("");
    for (const std::string state : {"starting", "stopping"}) {
      health = state + "\non hello\n";
      const Answer answer = get("health/ready");
      CHECK(answer->code == 503);
      CHECK(answer->content == "not ready: the server is " + state + "\n");
      CHECK(get("health/live")->code == 200);
    }
  }
}

TEST_CASE_METHOD(Fixture, "the page loads nothing from elsewhere, and runs its own script alone", "[status]") {
  rig.mount("");
  const Answer page = get("");
  CHECK(page->code == 200);
  CHECK(page->line("Content-Type") == "text/html; charset=utf-8");
  const std::string policy = page->line("Content-Security-Policy");
  CHECK_THAT(policy, Contains("default-src 'none'") && Contains("frame-ancestors 'none'"));
  const std::size_t at = policy.find("script-src 'nonce-") + 18;
  const std::string nonce = policy.substr(at, policy.find('\'', at) - at);
  CHECK(nonce.size() == 32);
  CHECK_THAT(page->content,
             Contains("<script nonce=\"" + nonce + "\">") && Contains("<style nonce=\"" + nonce));
  CHECK(get("")->line("Content-Security-Policy") != policy);
  std::string text = page->content;
  // The one address in it is a name, of SVG's elements.
  text.replace(text.find("http://www.w3.org/2000/svg"), 26, "");
  CHECK(text.find("://") == std::string::npos);
  CHECK(text.find("src=") == std::string::npos);
  CHECK(text.find("innerHTML") == std::string::npos);
  CHECK(rig.server.questions.empty());
}

TEST_CASE_METHOD(Fixture, "one question a second serves all who watch, and none is asked without them",
                 "[status]") {
  rig.mount("");
  RequestPlan plan;
  plan.path = "events";
  const Answer one = begin(plan);
  const Answer two = begin(plan);
  const auto has = [](const Answer& answer, const std::string& text) {
    return answer->content.find(text) != std::string::npos;
  };
  const std::string data = "data: {\"state\":\"ready\"}\n\n";
  REQUIRE(rig.server.run_until([&] { return has(one, data) && has(two, data); }));
  CHECK(one->line("Content-Type") == "text/event-stream");
  CHECK(rig.server.questions == std::vector<std::string>{"status"});
  rig.server.answers["status"] = "{\"state\":\"stopping\"}\n";
  rig.server.advance_clock(1'000);
  REQUIRE(rig.server.run_until([&] { return has(one, "stopping") && has(two, "stopping"); }));
  CHECK(rig.server.questions.size() == 2);
  SECTION("a question is not asked again while it waits") {
    rig.server.withhold_answers = true;
    for (int i = 0; i < 5; ++i) {
      rig.server.advance_clock(1'000);
      rig.server.turn();
    }
    CHECK(rig.server.questions.size() == 3);
    rig.server.withhold_answers = false;
    rig.server.turn();
  }
  SECTION("nobody watches any more") {
    one->cancel();
    two->cancel();
    for (int i = 0; i < 5; ++i) {
      rig.server.advance_clock(1'000);
      rig.server.turn();
    }
    CHECK(rig.server.questions.size() == 2);
    const Answer later = begin(plan);
    CHECK(rig.server.run_until([&] { return has(later, "stopping"); }));
    later->cancel();
  }
  SECTION("another handler takes over: watchers connect to it") {
    SECTION("of a newer generation") {
      rig.retire();
    }
    SECTION("of another worker") {
      rig.leave();
    }
    REQUIRE(rig.server.run_until([&] { return one->ended() && two->ended(); }));
    CHECK(one->complete);
    const Answer late = get("events");
    CHECK(late->complete);
    CHECK_FALSE(has(late, "data:"));
    CHECK(rig.server.questions.size() == 2);
  }
  one->cancel();
  two->cancel();
}
