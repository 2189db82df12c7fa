// The bounds of scripts: processor time, memory, depth, and the libraries that they may use.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/script_fixture.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using sluice::test::lua::ScriptFixture;

namespace {

const std::string kLoop = "local function loop() while true do end end ";

}  // namespace

TEST_CASE_METHOD(ScriptFixture, "no script holds the loop", "[lua]") {
  const std::string endless = GENERATE(
      // Errors that a hook raises are caught, or handled by what runs on.
      "while true do end", "while true do pcall(loop) end", "return pcall(loop)",
      "while true do xpcall(loop, loop) end", "xpcall(loop, function() xpcall(loop, loop) end)",
      "while true do coroutine.resume(coroutine.create(loop)) end",
      "local f = coroutine.wrap(function() while true do pcall(coroutine.yield) end end) while true do f() end",
      // Functions in C, which have no hooks.
      "local x = ('a'):rep(30):find(('a*'):rep(20) .. 'b')",
      "return (('a'):rep(30):gsub(('a*'):rep(20) .. 'b', ''))",
      "for _ in ('a'):rep(30):gmatch(('a-'):rep(20) .. 'b') do end",
      "return ('a'):rep(2^20):find(('a'):rep(2^19) .. 'b', 1, true) or pcall(loop)",
      "local x = ('%b()'):rep(10) .. ('('):rep(2^20):gsub('%b()', '')",
      "local x = ('x'):rep(2^20):gsub('', ('%0'):rep(2^20))",
      "local x = (('x'):rep(2^20) .. ('x'):rep(2^20)):match('^(.-)%1%1%1y')",
      "local t = {} for i = 1, 1e5 do t[i] = 1e5 - i end while true do table.sort(t) end",
      "local t = {} for i = 1, 2e5 do t[i] = i end while true do table.insert(t, 1, 1) table.remove(t, 1) end",
      "while true do pcall(string.rep, 'x', 4e6) end");
  INFO(endless);
  const std::size_t handler =
      mount_body("if request.path == 'fine' then return 'fine' end " + kLoop + endless, {{"time_max", "20ms"}});
  CHECK(rig.get("", handler)->code == 500);
  CHECK_THAT(last_failure(), Contains("script.lua:2: it takes more than 20 ms of processor time"));
  CHECK(rig.get("fine", handler)->content == "fine");
}

TEST_CASE_METHOD(ScriptFixture, "a script that has spent its time answers the next request", "[lua]") {
  mount_body("if request.path == 'loop' then while true do end end return 'fine'", {{"time_max", "10ms"}});
  CHECK(rig.get("loop")->code == 500);
  CHECK(last_failure() == "the script " + file() +
                              " has failed, so the answer is 500: script.lua:2: it takes more "
                              "than 10 ms of processor time: let it do "
                              "less, or raise time_max");
  CHECK(rig.get("")->content == "fine");
  const std::size_t stream = mount_body(
      "local n = 0 return {body = function() n = n + 1 if n == 3 then while true "
      "do end end return 'x' end}",
      {{"time_max", "10ms"}});
  const Answer cut = rig.get("", stream);
  CHECK(cut->cut);
  CHECK(cut->content == "xx");
}

TEST_CASE_METHOD(ScriptFixture, "a script has no more memory than it is given", "[lua]") {
  const std::string greedy =
      GENERATE("local t = {} for i = 1, 1e9 do t[i] = i end", "local s = 'x' while true do s = s .. s end",
               "return ('x'):rep(1e9)", "local t = {} while true do t[#t + 1] = {} end",
               "return ('x'):rep(2000):gsub('x', ('y'):rep(10000))");
  INFO(greedy);
  const std::size_t handler = mount_body("if request.path == 'fine' then return 'fine' end " + greedy,
                                         {{"memory_max", "4M"}, {"time_max", "10s"}});
  CHECK(rig.get("", handler)->code == 500);
  CHECK_THAT(last_failure(), Contains("it has not enough memory"));
  const Answer fine = rig.get("fine", handler);
  INFO(last_failure());
  CHECK(fine->content == "fine");
}

TEST_CASE_METHOD(ScriptFixture, "garbage does not count as memory in use", "[lua]") {
  mount_body(
      "local kept = ('k'):rep(2^20) for i = 1, 200 do local s = ('x'):rep(2^19 + i) end return tostring(#kept)",
      {{"memory_max", "4M"}, {"time_max", "10s"}});
  CHECK(answer() == "1048576");
}

TEST_CASE_METHOD(ScriptFixture, "functions that call each other without an end are ended", "[lua]") {
  const std::string deep = GENERATE(
      "local function f() return f() + 1 end f()", "local function f() return ('x'):gsub('x', f) end f()",
      "local function f() coroutine.wrap(f)() end f()",
      "local function f() assert(coroutine.resume(coroutine.create(f))) end f()",
      "local function f() table.sort({1, 2, 3}, f) end f()",
      "local o = setmetatable({}, {__tostring = function(s) return ('%s'):format(s) end}) return tostring(o)",
      "return ('x'):rep(300):find(('(x'):rep(300))", "return ('x'):rep(300):find(('x?'):rep(300))");
  INFO(deep);
  const std::size_t handler = mount_body(deep, {{"memory_max", "1G"}, {"time_max", "10s"}});
  CHECK(rig.get("", handler)->code == 500);
  CHECK_THAT(last_failure(), Contains("stack overflow") || Contains("too many calls within each other") ||
                                 Contains("the pattern is too complex") || Contains("more than 32 captures"));
}

TEST_CASE_METHOD(ScriptFixture, "what reaches out of a script is there only if it is trusted", "[lua]") {
  const std::string reaching =
      "for _, name in ipairs{'io', 'package', 'require', 'module', 'ffi', 'jit', 'debug', 'load', "
      "'loadstring', "
      "'loadfile', 'dofile', 'newproxy', 'collectgarbage', 'gcinfo'} do "
      "if _G[name] ~= nil then return name end end "
      "for name in pairs(os) do if not ('clock date difftime time'):find(name) then return name end end "
      "return tostring(string.dump)";
  CHECK(rig.get("", mount_body(reaching))->content == "nil");
  CHECK(rig.get("", mount_body(reaching, {{"trusted", "on"}}))->content == "io");
  CHECK(value_of("type(os.time())") == "number");
  folder.write("part.lua", "return {name = 'part'}");
  const std::size_t trusted = mount_body(
      "return require('part').name .. ffi.sizeof('int') .. type(io.open) .. tostring(jit.on or jit.status())",
      {{"trusted", "on"}});
  CHECK(rig.get("", trusted)->content == "part4functionfalse");
}

TEST_CASE_METHOD(ScriptFixture, "patterns mean what they mean in Lua", "[lua]") {
  const std::vector<std::pair<std::string, std::string>> table{
      {"('hello world'):find('o w')", "5"},
      {"table.concat({('hello'):find('l')}, ' ')", "3 3"},
      {"table.concat({('hello'):find('(l)(.)')}, ' ')", "3 4 l l"},
      {"table.concat({('a.b'):find('.', 2, true)}, ' ')", "2 2"},
      {"table.concat({('abc'):find('', 10)}, ' ')", "4 3"},
      {"table.concat({('abc'):find('b', -2)}, ' ')", "2 2"},
      {"('key = value'):match('^(%w+)%s*=%s*(%w+)$')", "key"},
      {"select(2, ('key = value'):match('^(%w+)%s*=%s*(%w+)$'))", "value"},
      {"('x'):match('()')", "1"},
      {"('  trim  '):match('^%s*(.-)%s*$') .. '.'", "trim."},
      {"('THE (quick) fox'):find('%((%a+)%)')", "5"},
      {"('f(a(b)c)d'):match('%b()')", "(a(b)c)"},
      {"('THE quick'):gsub('%f[%a]%a+', function(w) return w:lower():upper() end)", "THE QUICK"},
      {"('abc'):gsub('', '-')", "-a-b-c-"},
      {"('abc'):gsub('%w', '%0%0')", "aabbcc"},
      {"('hello'):gsub('l', {l = 'L'}, 1)", "heLlo"},
      {"('abc'):gsub('(a)(b)', '%2%1')", "bac"},
      {"('abc'):gsub('b', '%%')", "a%c"},
      {"('aaa'):gsub('^a', 'b')", "baa"},
      {"('a1b2'):gsub('%d', function() end)", "a1b2"},
      {"('x=1, y=2'):gsub('(%w+)=(%w+)', '%2=%1')", "1=x, 2=y"},
      {"('\"q\" and \\'r\\''):match('([\"\\'])(.-)%1')", "\""},
      {"('[a]-b'):match('[]-]+')", "]-"},
      {"('a^b'):match('[b^]')", "^"},
      {"('0x1F'):match('^0[xX](%x+)$')", "1F"},
      {"('a\\0b'):match('%z')", std::string(1, '\0')},
      {"(function() local t = {} for k, v in ('a=1,b=2'):gmatch('(%w)=(%w)') do t[#t + 1] = k .. v end "
       "return table.concat(t) end)()",
       "a1b2"},
  };
  for (const auto& [expression, value] : table) {
    INFO(expression);
    CHECK(value_of(expression) == value);
  }
  for (const char* wrong :
       {"('a'):find('[a')", "('a'):find('%')", "('a'):find('(a')", "('a'):match('a)')", "('a'):find('%b')",
        "('a'):find('%f')", "('a'):find('%1')", "('a'):gsub('a', '%2')", "('a'):gsub('a', print, 'x')",
        "('a'):gsub('a', true)", "('a'):find(('a?'):rep(5000))", "('a'):gsub('a', function() return {} end)"}) {
    INFO(wrong);
    CHECK(value_of("pcall(function() return " + std::string(wrong) + " end)") == "false");
  }
  CHECK(value_of("table.concat((function(t) table.sort(t) return t end){3, 1, 2})") == "123");
  CHECK(value_of("xpcall(function(a) error(a, 0) end, function(e) return e .. '!' end, 'x') == false and "
                 "select(2, xpcall(error, function(e) return e .. '!' end, 'x', 0))") == "x!");
  CHECK(value_of("select('#', xpcall(function(...) return ... end, print, 1, nil, nil))") == "4");
}
