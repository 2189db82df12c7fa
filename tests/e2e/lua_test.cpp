// Scripts of Lua in the running server: answered by all workers, changed under load, confined, and contained.
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

TEST_CASE("a script is changed under load, and no request is lost", "[e2e][lua]") {
  const Site site({"lua"});
  const std::string script = site.write_beside("greet.lua", "return function() return 'version 0' end");
  ServerProcess server(site, {"--workers", "2", "--mount", "/=lua:script=" + script});
  std::atomic<bool> ends = false;
  std::atomic<int> wrong = 0;
  std::thread load([&] {
    while (!ends) {
      const HttpAnswer answer = fetch(server.endpoint(), "/");
      if (answer.status != 200 || answer.body.find("version ") != 0) ++wrong;
    }
  });
  for (int i = 1; i <= 3; ++i) {
    const std::string version = "version " + std::to_string(i);
    site.write_beside("greet.lua", "return function() return '" + version + "' end");
    const auto answers_it = [&] {
      for (int asked = 0; asked < 10; ++asked) {
        if (fetch(server.endpoint(), "/").body != version) return false;
      }
      return true;
    };
    CHECK(eventually(answers_it));
  }
  site.write_beside("greet.lua", "return functions() end");
  CHECK(server.logs("the script stays as it was: the script " + script + " cannot be used: greet.lua:1: "));
  CHECK(fetch(server.endpoint(), "/").body == "version 3");
  ends = true;
  load.join();
  CHECK(wrong == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a script's faults are its own request's", "[e2e][lua]") {
  const Site site({"lua", "static_sendfile"});
  site.write("page.txt", "a page");
  const std::string script = site.write_beside("faults.lua", R"(
return function(request)
  if request.path == "loop" then while true do pcall(function() while true do end end) end end
  if request.path == "grow" then local t = {} for i = 1, 1e9 do t[i] = {} end end
  if request.path == "page" then return {hand_over = "/page.txt"} end
  if request.path == "stream" then
    return {body = coroutine.wrap(function()
      for i = 1, 1000 do coroutine.yield(("%05d "):format(i)) end
    end)}
  end
  return #request.body .. " bytes"
end
)");
  ServerProcess server(site, {"--workers", "1", "--mount", "/lua/=lua:script=" + script + ",time_max=30ms",
                              "--mount", "/=static_sendfile"});
  const auto workers = server.workers();
  CHECK(fetch(server.endpoint(), "/lua/loop").status == 500);
  CHECK(server.logs("faults.lua:3: it takes more than 30 ms of processor time"));
  CHECK(fetch(server.endpoint(), "/lua/grow").status == 500);
  CHECK(fetch(server.endpoint(), "/lua/page").body == "a page");
  CHECK_THAT(fetch(server.endpoint(), "/lua/stream").body,
             Contains("00001 00002 ") && Contains("00999 01000 "));
  HttpClient client(server.endpoint());
  client.send("POST /lua/ HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nsluice");
  CHECK(client.read_answer().body == "6 bytes");
  client.send("POST /lua/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" +
              std::string(2'000'000, 'x'));
  CHECK(client.read_answer().status == 413);
  CHECK(server.workers() == workers);
  CHECK(server.stop() == 0);
}

TEST_CASE("a script that cannot be used is an error of the settings", "[e2e][lua]") {
  const Site site({"lua"});
  const std::string script = site.write_beside("wrong.lua", "x = = 1");
  const Outcome checked =
      run(site.command({"--check", "--listen", "127.0.0.1:0", "--mount", "/=lua:script=" + script}));
  CHECK(checked.code != 0);
  CHECK_THAT(checked.err, Contains("wrong.lua cannot be used: wrong.lua:1: unexpected symbol"));
}
