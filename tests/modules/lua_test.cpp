// The module lua: what a script sees and answers, its mistakes, and its changes while serving.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "support/script_fixture.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using sluice::test::lua::ScriptFixture;

TEST_CASE_METHOD(ScriptFixture, "a script answers by a text, a status or a table", "[lua]") {
  struct Row {
    std::string returned;
    std::uint32_t code;
    std::string content;
    std::string type;
  };
  const std::vector<Row> rows{
      {"'text'", 200, "text", "text/plain; charset=utf-8"},
      {"''", 200, "", "text/plain; charset=utf-8"},
      {"404", 404, "", ""},
      {"{status = 204}", 204, "", ""},
      {"{body = 'x', status = 201}", 201, "x", "text/plain; charset=utf-8"},
      {"{body = '{}', fields = {['Content-Type'] = 'application/json'}}", 200, "{}", "application/json"},
      {"{status = 403, body = 'no'}", 403, "no", "text/plain; charset=utf-8"},
      {"{body = 7}", 200, "7", "text/plain; charset=utf-8"},
  };
  for (const Row& row : rows) {
    INFO(row.returned);
    const Answer answer = rig.get("", mount_body("return " + row.returned));
    CHECK(answer->code == row.code);
    CHECK(answer->content == row.content);
    CHECK(answer->line("Content-Type") == row.type);
  }
  const Answer moved =
      rig.get("", mount_body("return {status = 302, fields = {Location = '/x', ['Set-Cookie'] = "
                             "{'a=1', 'b=2'}}}"));
  CHECK(moved->code == 302);
  CHECK(moved->line("Location") == "/x");
  std::vector<std::string> cookies;
  for (const auto& [name, value] : moved->lines) {
    if (name == "Set-Cookie") cookies.push_back(value);
  }
  CHECK(cookies == std::vector<std::string>{"a=1", "b=2"});
  CHECK(rig.server.counters.find("failed")->second == 0);
}

TEST_CASE_METHOD(ScriptFixture, "a script sees all of the request", "[lua]") {
  mount_body(R"(
    local r = request
    return table.concat({r.method, r.path, r.mount, r.query, r.authority, r.scheme, r.client, r.body,
                         r.fields["x-one"], r.fields.cookie, r.fields.none or "none",
                         r.parameters.a, r.parameters["b c"], r.parameters.none or "none"}, "|"))");
  RequestPlan plan;
  plan.method = sluice::Method::post;
  plan.path = "some/path";
  plan.query = "a=1&b+c=%41&a=2";
  plan.fields = {{"X-One", "1"}, {"Cookie", "a"}, {"x-ONE", "2"}, {"Cookie", "b"}};
  plan.body = {"con", "tent"};
  CHECK(rig.run(plan)->content ==
        "POST|some/path|/m/|a=1&b+c=%41&a=2|example.org|http|192.0.2.1:49152|content|1, 2|a; b|none|1|A|none");
  plan.query = "a=%";
  plan.body = {};
  CHECK_THAT(rig.run(plan, mount_body("return tostring(next(request.parameters)) .. request.body"))->content,
             Catch::Equals("nil"));
  plan.body = {std::string(600, 'x'), std::string(500, 'x')};
  CHECK(rig.run(plan, mount_body("return #request.body", {{"body_max", "1k"}}))->code == 413);
}

TEST_CASE_METHOD(ScriptFixture, "a function or a coroutine gives the content piece by piece", "[lua]") {
  const std::size_t counted = mount_body(R"(
    local n = 0
    return {body = function()
      n = n + 1
      if n <= 100 then return n .. " " end
    end})");
  const Answer answer = rig.get("", counted);
  CHECK_THAT(answer->content, EndsWith(" 99 100 "));
  CHECK(answer->declared == sluice::kUnknownSize);
  CHECK(answer->complete);
  const std::size_t large = mount_body(R"(
    return {fields = {["content-type"] = "text/csv"}, body = coroutine.wrap(function()
      for i = 1, 10 do coroutine.yield(("x"):rep(100000)) end
    end)})");
  RequestPlan plan;
  plan.sink.room = 30'000;
  CHECK(rig.run(plan, large)->content.size() == 1'000'000);
  // A client that leaves takes its function with it.
  const Answer left = rig.start(plan, large);
  left->cancel();
  plan.method = sluice::Method::head;
  CHECK(rig.run(plan, large)->content.empty());
}

TEST_CASE_METHOD(ScriptFixture, "a mistake in a script is a 500, and one line in the log with its place",
                 "[lua]") {
  const std::vector<std::pair<std::string, std::string>> mistakes{
      {"return request.none.x", "script.lua:2: attempt to index field 'none' (a nil value)"},
      {"error('of its own')", "script.lua:2: of its own"},
      {"error({})", "it has raised an error that is no text"},
      {"error('', 0)", "it has raised an error without a text"},
      {"return nil", "it has answered with a nil: return a text"},
      {"return 99", "the status of its answer is no number from 200 to 599"},
      {"return {status = 'x'}", "the status of its answer is no number from 200 to 599"},
      {"return {fields = 1}", "the fields of its answer are no table"},
      {"return {fields = {1}}", "a field of its answer has no name"},
      {"return {fields = {a = {{}}}}", "the field a of its answer is no text"},
      {"return {fields = {a = ('x'):rep(70000)}}", "the fields of its answer have more than 64 KiB"},
      {"return {body = {}}", "the body of its answer is neither a text nor a function"},
      {"return {body = print, hand_over = {}}", "the hand_over of its answer is no path"},
      {"return {body = function() error('late') end}", "script.lua:2: late"},
      {"return {body = function() return {} end}", "a piece of its body is a table: give a text"},
  };
  for (const auto& [statement, error] : mistakes) {
    INFO(statement);
    const std::size_t handler = mount_body(statement);
    rig.server.logs.clear();
    const Answer answer = rig.get("", handler);
    CHECK((answer->code == 500 || answer->cut));
    const std::vector<std::string> lines = lines_with(" has failed, so ");
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines.front(), Contains("the script " + file()) && Contains(error));
  }
  CHECK(rig.server.counters.find("failed")->second == mistakes.size());
  RequestPlan plan;
  plan.explained = true;
  const Answer explained = rig.run(plan, mount_body("error('why')"));
  REQUIRE(explained->decisions.size() == 1);
  CHECK(explained->decisions.front() == "answers 500, because its script has failed: script.lua:2: why");
}

TEST_CASE_METHOD(ScriptFixture, "what a script prints goes to the log", "[lua]") {
  mount("print('loaded')\nreturn function() print('a', 1, nil, true) return '' end");
  CHECK(has_logged(file() + " says: loaded"));
  rig.get("");
  CHECK(has_logged(file() + " says: a\t1\tnil\ttrue"));
  rig.server.logs.clear();
  rig.get("", mount_body("for i = 1, 1000 do print(('x'):rep(5000)) end return ''"));
  const std::vector<std::string> lines = lines_with(" says: xxx");
  CHECK(lines.size() == 32);
  CHECK(lines.back().size() < 1200);
}

TEST_CASE_METHOD(ScriptFixture, "what cannot be served is refused with a sentence", "[lua]") {
  CHECK_THAT(refusal("return 1"), Contains("script.lua cannot be used: it returns no function: end it with"));
  CHECK_THAT(refusal("x = = 1"),
             Contains("script.lua cannot be used: script.lua:1: unexpected symbol near '='"));
  CHECK_THAT(refusal("\n\nerror('not today')"), Contains("script.lua cannot be used: script.lua:3: not today"));
  CHECK_THAT(refusal("\x1bLJ\x02"), Contains("attempt to load chunk with wrong mode"));
  CHECK_THAT(refusal("return print", {{"time_max", "0"}}), Contains("the option time_max is 0"));
  CHECK_THAT(refusal("return print", {{"memory_max", "10k"}}), Contains("memory_max has less than 1M"));
  std::filesystem::permissions(file(), std::filesystem::perms::others_write,
                               std::filesystem::perm_options::add);
  CHECK_THROWS_WITH(rig.mount("", {{"script", file()}}),
                    Contains("may be written by everybody: change its mode"));
  std::filesystem::remove(file());
  CHECK_THROWS_WITH(rig.mount("", {{"script", file()}}), Contains("script.lua is missing: write it, or name"));
  CHECK_THROWS_WITH(rig.mount("", {{"script", folder.path}}),
                    Contains("is no regular file: name a file of Lua"));
  CHECK_THROWS_WITH(rig.mount("", {}), Contains("it has no script: name a file of Lua"));
  folder.write("script.lua", std::string((1 << 20) + 1, ' '));
  CHECK_THROWS_WITH(rig.mount("", {{"script", file()}}), Contains("script.lua has more than 1 MiB: split it"));
}

TEST_CASE_METHOD(ScriptFixture, "a changed script is taken while serving", "[lua]") {
  mount("local n = 0\nreturn function() n = n + 1 return 'one ' .. n end");
  CHECK(answer() == "one 1");
  CHECK(answer() == "one 2");
  const std::string two = "return function() return 'two' end";
  SECTION("by a rename") {
    folder.write("new", two);
    std::filesystem::rename(folder / "new", file());
    CHECK(rig.server.run_until([&] { return answer() == "two"; }));
    CHECK(has_logged("the script " + file() + " has changed, and answers from now on"));
  }
  SECTION("in place") {
    folder.write("script.lua", two);
    CHECK(rig.server.run_until([&] { return answer() == "two"; }));
  }
  SECTION("again and again, of one size at once") {
    for (int i = 0; i < 3; ++i) {
      folder.write("script.lua", "return function() return 'a' end");
      CHECK(rig.server.run_until([&] { return answer() == "a"; }));
      folder.write("script.lua", "return function() return 'b' end");
      CHECK(rig.server.run_until([&] { return answer() == "b"; }));
    }
  }
  SECTION("but not by a touch, which would lose what it has counted") {
    folder.age("script.lua");
    const std::uint64_t works = rig.server.works_offered;
    CHECK(rig.server.run_until([&] { return rig.server.works_offered > works && rig.server.offload_idle(); }));
    CHECK(answer() == "one 3");
  }
  SECTION("while the queue is full") {
    rig.server.refuse_offloads = 1;
    folder.write("script.lua", two);
    REQUIRE(rig.server.run_until([&] { return rig.server.refuse_offloads == 0; }));
    rig.server.advance_clock(1'000);
    CHECK(rig.server.run_until([&] { return answer() == "two"; }));
  }
  SECTION("after a minute, if nobody reports it") {
    std::filesystem::create_directory(folder / "a");
    folder.write("a/s.lua", "return function() return 'a' end");
    const std::size_t inner = rig.mount("", {{"script", folder / "a/s.lua"}});
    std::filesystem::create_directory(folder / "b");
    folder.write("b/s.lua", two);
    std::filesystem::rename(folder / "a", folder / "old");
    std::filesystem::rename(folder / "b", folder / "a");
    CHECK(answer(inner) == "a");
    rig.server.advance_clock(60'000);
    CHECK(rig.server.run_until([&] { return answer(inner) == "two"; }));
  }
}

TEST_CASE_METHOD(ScriptFixture, "a script that cannot be used leaves the former one", "[lua]") {
  mount("return function() return 'good' end");
  std::string mistake;
  SECTION("a mistake in its grammar") {
    folder.write("script.lua", "return function(");
    mistake = "script.lua:1: <name> or '...' expected near '<eof>'";
  }
  SECTION("one that it finds when it is run") {
    folder.write("script.lua", "error('no table')");
    mistake = "cannot be used: script.lua:1: no table";
  }
  SECTION("a loop") {
    folder.write("script.lua", "while true do end");
    mistake = "script.lua cannot be used: script.lua:1: it takes more than 500 ms of processor time";
  }
  SECTION("it is gone") {
    std::filesystem::remove(file());
    mistake = "script.lua is missing";
  }
  CHECK(has_logged("the script stays as it was: "));
  CHECK(has_logged(mistake));
  CHECK(answer() == "good");
  const std::size_t lines = rig.server.logs.size();
  // The same mistake is logged once.
  const std::uint64_t works = rig.server.works_offered;
  rig.server.advance_clock(60'000);
  CHECK(rig.server.run_until([&] { return rig.server.works_offered > works && rig.server.offload_idle(); }));
  CHECK(rig.server.logs.size() == lines);
  folder.write("script.lua", "return function() return 'better' end");
  CHECK(rig.server.run_until([&] { return answer() == "better"; }));
}

TEST_CASE_METHOD(ScriptFixture, "a stream ends on the script on which it began", "[lua]") {
  mount(
      "return function() local n = 0 return {body = function() n = n + 1\n"
      "if n < 4 then return 'old ' end end} end");
  RequestPlan plan;
  plan.sink.room = 1;
  const Answer stream = rig.start(plan);
  folder.write("script.lua", "return function() return 'new' end");
  CHECK(rig.server.run_until([&] { return answer() == "new"; }));
  CHECK(rig.server.run_until([&] { return stream->ended(); }));
  CHECK(stream->content == "old old old ");
  rig.retire();
  CHECK(answer() == "new");
}
