// Workers that end inside a module, in every way, or lose their descriptors to a module; and processes that
// modules fork.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "e2e/containment.h"

using namespace sluice::test;
namespace fs = std::filesystem;

TEST_CASE("any end of a worker inside a module is the module's fault", "[e2e][containment]") {
  const Site site({"hello", "ender"});
  ServerProcess server(site, options({"--workers", "1", "--grant", "ender=exec"}, "100"));
  const std::vector<std::pair<std::string, std::string>> ways = {
      {"exit", "ended with exit code 3"},       {"_exit", "ended with exit code 0"},
      {"quick_exit", "ended with exit code 4"}, {"handler", "ended with exit code 7"},
      {"trap", "was killed by SIGTRAP"},        {"sys", "was killed by SIGSYS"},
      {"default-sys", "was killed by SIGSYS"},  {"default-usr1", "was killed by SIGUSR1"},
      {"xcpu", "was killed by SIGXCPU"},        {"exec", "ended with exit code 1"},
  };
  for (const auto& [way, ending] : ways) {
    provoke(server.endpoint(), "/ender/" + way);
    CHECK(server.logs(ending + " inside module ender, generation 1, for GET /ender/" + way + " HTTP/1.1"));
    CHECK(answers(server, "/hello/", 200));
  }
  provoke(server.endpoint(), "/ender/thread-exit");
  CHECK(server.logs("ended with exit code 6 inside module ender, generation 1"));
  CHECK(answers(server, "/ender/", 200));
}

TEST_CASE("a worker whose descriptors a module closes ends with a sentence", "[e2e][containment]") {
  const Site site({"hello", "closer"});
  ServerProcess server(site, options({"--workers", "1"}, "100"));
  const std::vector<std::pair<std::string, std::string>> ways = {
      {"epoll", "the epoll descriptor (number "},
      {"listening", "a listening socket (number "},
      {"events", "the descriptor of the offload threads (number "},
  };
  for (const auto& [way, names] : ways) {
    const std::string what = names;
    std::size_t ended = 0;
    for (const std::string how : {"", "?replace"}) {
      provoke(server.endpoint(), "/closer/" + way + how);
      CHECK(eventually([&] {
        provoke(server.endpoint(), "/hello/");
        return server.count_in_log(what) == ended + 1;
      }));
      ++ended;
      CHECK(answers(server, "/hello/", 200));
    }
    CHECK(server.logs("was replaced by another file, which only a module can have done"));
  }
  // A module that was called meanwhile is not blamed.
  CHECK(server.count_in_log("ended with exit code 1 inside module hello") == 0);
  CHECK(server.count_in_log(": this worker ends, because it cannot serve without it") == 6);
}

TEST_CASE("a listening socket that a module shuts down listens again, in the next worker",
          "[e2e][containment]") {
  const Site site({"hello", "closer"});
  ServerProcess server(site, options({"--workers", "1"}, "100"));
  provoke(server.endpoint(), "/closer/listening?shutdown");
  CHECK(server.logs("was shut down, which only a module can have done"));
  CHECK(answers(server, "/hello/", 200));
}

TEST_CASE("a process that a module forks keeps neither address nor connections", "[e2e][containment]") {
  const Site site({"forker"});
  ServerProcess server(site, options({"--workers", "1", "--grant", "forker=exec"}));
  HttpClient kept(server.endpoint());
  CHECK(kept.get("/forker/return").status == 200);
  CHECK(server.logs("a process that a module has forked came back into the server, and ends"));
  const pid_t child = std::stoi(kept.get("/forker/").body);
  REQUIRE(child > 0);
  CHECK(kept.get("/forker/return").status == 200);
  CHECK(server.stop() == 0);
  CHECK(kept.ends());
  CHECK_THROWS_AS(fetch(server.endpoint(), "/forker/"), std::runtime_error);
  CHECK(::kill(child, SIGKILL) == 0);
}

TEST_CASE("a module that exits too often is switched off", "[e2e][containment]") {
  const Site site({"hello", "ender"});
  ServerProcess server(site, options({"--workers", "2"}));
  REQUIRE(crashes_until(server, "/ender/_exit", "module ender is switched off after 2 faults within 60 s"));
  CHECK(all_answer(server, "/ender/", 503));
  CHECK(answers(server, "/hello/", 200));
}

TEST_CASE("a kill from outside while a module runs is not the module's fault", "[e2e][containment]") {
  const Site site({"hello", "sleeper"});
  ServerProcess server(site, options({"--workers", "1", "--hang-limit", "0"}, "1"));
  std::size_t ended = 0;
  for (const int signal : {SIGKILL, SIGABRT, SIGSEGV}) {
    site.write("gate", "");
    HttpClient held_up(server.endpoint(), 60'000);
    held_up.request("GET", "/sleeper/gate");
    const auto logged = [&](const std::string& text) {
      return eventually([&] { return server.count_in_log(text) == ended + 1; });
    };
    REQUIRE(logged("ms inside module sleeper, generation 1, for GET /sleeper/gate"));
    ::kill(server.workers().at(0), signal);
    CHECK(logged("from outside, while it was inside module sleeper, generation 1, for GET /sleeper/gate"));
    ++ended;
    fs::remove(site.root() + "/gate");
    CHECK(answers(server, "/sleeper/1", 200));
  }
  CHECK(server.count_in_log("from outside, while it was inside module sleeper") == 3);
  CHECK(server.count_in_log("sent by process " + std::to_string(::getpid())) == 2);
  CHECK(server.count_in_log("is switched off") == 0);
}

TEST_CASE("a module that resets SIGPIPE does not end its worker", "[e2e][containment]") {
  const Site site({"static_sendfile", "ender"});
  site.write("large.bin", std::string(32 * 1024 * 1024, 'x'));
  ServerProcess server(site, options({"--workers", "1", "--mount", "/s/=static_sendfile"}));
  const std::vector<pid_t> before = server.workers();
  CHECK(fetch(server.endpoint(), "/ender/pipe").status == 200);
  for (int i = 0; i < 20; ++i) {
    HttpClient leaving(server.endpoint());
    leaving.send("GET /s/large.bin HTTP/1.1\r\nHost: a\r\n\r\nGET /s/large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
    leaving.read_some(1);
  }
  CHECK(answers(server, "/ender/", 200));
  CHECK(server.workers() == before);
}

TEST_CASE("a crash of a process that a module forked is not its worker's", "[e2e][containment]") {
  const Site site({"ender"});
  ServerProcess server(site, options({"--workers", "1", "--grant", "ender=exec"}));
  const std::vector<pid_t> before = server.workers();
  CHECK(fetch(server.endpoint(), "/ender/fork").status == 200);
  CHECK(fetch(server.endpoint(), "/ender/").status == 200);
  CHECK(server.workers() == before);
  ::kill(before.at(0), SIGKILL);
  CHECK(server.logs("was killed by SIGKILL\n"));
}
