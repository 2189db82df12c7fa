// A module that crashes or holds the loop up is named in the log, does not harm the others, and is set back
// or switched off.
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "e2e/containment.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("a crash is logged with module, generation, request and place", "[e2e][containment]") {
  const Site site({"hello", "crasher"});
  ServerProcess server(site, options({"--workers", "2"}, "100"));
  provoke(server.endpoint(), "/crasher/crash?why=not");
  CHECK(server.logs(
      "was killed by SIGSEGV inside module crasher, generation 1, for GET /crasher/crash?why=not HTTP/1.1"));
  CHECK(server.logs("write_nowhere() at crasher.cpp:"));
  CHECK(answers(server, "/hello/", 200));
  CHECK(answers(server, "/crasher/", 200));
  provoke(server.endpoint(), "/crasher/abort");
  CHECK(server.logs(
      "was killed by SIGABRT inside module crasher, generation 1, for GET /crasher/abort HTTP/1.1"));
  provoke(server.endpoint(), "/crasher/offload");
  CHECK(eventually([&] { return server.count_in_log("was killed by SIGSEGV inside module crasher") == 2; }));
  CHECK(eventually([&] { return server.workers().size() == 2; }));
  CHECK(answers(server, "/crasher/", 200));
}

TEST_CASE("a crash in a module's own thread is not blamed on the loop's module", "[e2e][containment]") {
  const Site site({"sleeper", "crasher"});
  ServerProcess server(site, options({"--workers", "1", "--hang-limit", "0"}, "100"));
  CHECK(fetch(server.endpoint(), "/crasher/thread").status == 200);
  provoke(server.endpoint(), "/sleeper/5000");
  CHECK(server.logs("was killed by SIGSEGV inside module crasher, generation 1"));
  CHECK(server.count_in_log("was killed by SIGSEGV inside module sleeper") == 0);
}

TEST_CASE("a fault of the server itself is not blamed on a module", "[e2e][containment]") {
  const Site site({"hello"});
  ServerProcess server(site, options({"--workers", "1"}));
  ::kill(server.workers().at(0), SIGSEGV);
  CHECK(server.logs("from outside, while it was in the server itself, outside any module"));
  CHECK(answers(server, "/hello/", 200));
}

TEST_CASE("a module that crashes too often is switched off until its file changes", "[e2e][containment]") {
  const Site site({"hello", "crasher"});
  ServerProcess server(site, options({"--workers", "2"}));
  HttpClient other(server.endpoint());
  REQUIRE(crashes_until(server, "/crasher/crash", "module crasher is switched off after 2 faults within 60 s"));
  CHECK(all_answer(server, "/crasher/", 503));
  for (int i = 0; i < 20; ++i) {
    const HttpAnswer answer = fetch(server.endpoint(), "/crasher/crash");
    CHECK(answer.status == 503);
    CHECK(answer.field("Retry-After") == "30");
    CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  }
  // The other worker may get a request for a crash, too, before it is told.
  CHECK(server.count_in_log("was killed by SIGSEGV") <= 3);
  const std::vector<pid_t> before = server.workers();
  ::kill(before.at(0), SIGKILL);  // its successor knows as well
  CHECK(eventually([&] { return server.workers().size() == 2 && server.workers() != before; }));
  CHECK(all_answer(server, "/crasher/", 503));
  CHECK(server.reload());
  CHECK(all_answer(server, "/crasher/", 503));
  put(site, "crasher.so", "crasher_mended");
  CHECK(all_answer(server, "/crasher/crash", 200, "mended\n"));
}

TEST_CASE("a module that crashes too often goes back to its last good generation", "[e2e][containment]") {
  const Site site({"hello"});
  put(site, "crasher.so", "crasher_mended");
  ServerProcess server(site, options({"--workers", "2"}));
  put(site, "crasher.so", "crasher");
  REQUIRE(server.logs("module crasher serves in generation 2"));
  REQUIRE(
      crashes_until(server, "/crasher/crash",
                    "module crasher goes back to generation 1, its last good one, after 2 faults within 60 s"));
  CHECK(all_answer(server, "/crasher/crash", 200, "mended\n"));
  CHECK(server.reload());  // the file in the folder stays given up
  CHECK(all_answer(server, "/crasher/crash", 200, "mended\n"));
}

TEST_CASE("a new worker serves without a module that cannot be made", "[e2e][containment]") {
  const Site site({"hello", "moody"});
  ServerProcess server(site, options({"--workers", "1", "--mount", "/a/=moody", "--mount", "/h/=hello"}));
  CHECK(fetch(server.endpoint(), "/a/").status == 200);
  site.write("refuse", "");
  ::kill(server.workers().at(0), SIGKILL);
  CHECK(answers(server, "/a/", 503));
  CHECK(server.logs("module moody at /a/ refuses to start: not while there is a file refuse"));
  CHECK(fetch(server.endpoint(), "/h/").status == 200);
  CHECK(server.count_in_log("ended with exit code") == 0);
}

TEST_CASE("a last good generation that cannot be made again is switched off, too", "[e2e][containment]") {
  const Site site({"hello"});
  put(site, "crasher.so", "crasher_moody");
  ServerProcess server(site, options({"--workers", "2"}));
  put(site, "crasher.so", "crasher");
  REQUIRE(server.logs("module crasher serves in generation 2"));
  site.write("refuse", "");
  REQUIRE(crashes_until(server, "/crasher/crash", "module crasher goes back to generation 1"));
  CHECK(server.logs("crasher.so stays switched off, and its routes answer 503: module crasher at /crasher/"));
  CHECK(all_answer(server, "/crasher/", 503));
  CHECK(answers(server, "/hello/", 200));
}

TEST_CASE("a module is switched off and on by command", "[e2e][containment]") {
  const Site site({"hello", "crasher"});
  const std::string control = site.path("control.sock");
  ServerProcess server(site, options({"--workers", "2", "--control", control}));
  const auto command = [&](const std::string& what, const std::string& name) {
    return run({sluice_binary(), "module", what, name, "--control", control});
  };
  CHECK(command("disable", "crasher").code == 0);
  CHECK(answers(server, "/crasher/", 503));
  const auto ask = [&](const char* what) { return run({sluice_binary(), what, "--control", control}).out; };
  CHECK(eventually(
      [&] { return ask("metrics").find("module_closed{module=\"crasher\"} 1") != std::string::npos; }));
  CHECK_THAT(ask("status"), Contains("/crasher/  crasher  1           switched off\n"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(command("enable", "crasher").code == 0);
  CHECK(fetch(server.endpoint(), "/crasher/").status == 200);  // the command is answered when the module serves
  CHECK_THAT(command("enable", "crasher").err, Contains("module crasher is not switched off"));
  CHECK_THAT(command("enable", "nothere").err, Contains("there is no module nothere"));
  CHECK(server.stop() == 0);
}

TEST_CASE("a module that sleeps on the loop delays only its own worker", "[e2e][containment]") {
  const Site site({"hello", "sleeper"});
  ServerProcess server(site, options({"--workers", "2", "--hang-limit", "0"}));
  site.write("gate", "");
  HttpClient held_up(server.endpoint(), 60'000);
  held_up.request("GET", "/sleeper/gate");
  CHECK(server.logs("ms inside module sleeper, generation 1, for GET /sleeper/gate HTTP/1.1"));
  // Half of these come to the listener of the worker that sleeps.
  for (int i = 0; i < 100; ++i) REQUIRE(fetch(server.endpoint(), "/hello/").status == 200);
  fs::remove(site.root() + "/gate");
  CHECK(held_up.read_answer().status == 200);
  for (int i = 0; i < 100; ++i) REQUIRE(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.count_in_log("has been held up") == 1);
  CHECK(server.stop() == 0);
}

TEST_CASE("the call that a module sleeps in is named and not cut short", "[e2e][containment]") {
  const Site site({"sleeper"});
  ServerProcess server(site, options({"--workers", "1", "--hang-limit", "0"}));
  CHECK(fetch(server.endpoint(), "/sleeper/poll/600").body == "slept\n");
  CHECK(server.logs(
      "ms inside module sleeper, generation 1, for GET /sleeper/poll/600 HTTP/1.1, where it sleeps"));
}

TEST_CASE("a turn of little more than 100 ms is named", "[e2e][containment]") {
  const Site site({"sleeper"});
  ServerProcess server(site, options({"--workers", "1"}));
  CHECK(crashes_until(server, "/sleeper/125", "ms inside module sleeper, generation 1, for GET /sleeper/125"));
}

TEST_CASE("an offloaded call that does not end is logged", "[e2e][containment]") {
  const Site site({"sleeper"});
  site.write("gate", "");
  ServerProcess server(site, options({"--workers", "1", "--hang-limit", "100ms"}));
  CHECK(fetch(server.endpoint(), "/sleeper/offload").status == 200);
  CHECK(server.logs("ms inside module sleeper, generation 1: the call does not end"));
  fs::remove(site.root() + "/gate");
  CHECK(server.stop() == 0);
}

TEST_CASE("a worker that is held up for too long is ended, as a fault of the module", "[e2e][containment]") {
  const Site site({"hello", "sleeper"});
  ServerProcess server(site, options({"--workers", "2", "--hang-limit", "300ms"}));
  REQUIRE(crashes_until(server, "/sleeper/60000", "module sleeper is switched off after 2 faults"));
  CHECK_THAT(server.log(),
             Contains("was ended, since it was held up for too long inside module sleeper, generation "
                      "1, for GET /sleeper/60000 HTTP/1.1"));
  CHECK(all_answer(server, "/sleeper/1", 503));
  CHECK(answers(server, "/hello/", 200));
}

TEST_CASE("a worker that is slow to die is not called held up", "[e2e][containment]") {
  const Site site({"crasher"});
  ServerProcess server(site, options({"--workers", "1", "--hang-limit", "300ms"}, "100"));
  provoke(server.endpoint(), "/crasher/report");
  CHECK(server.logs(
      "was killed by SIGSEGV inside module crasher, generation 1, for GET /crasher/report HTTP/1.1"));
  CHECK(answers(server, "/crasher/", 200));
  // To the kernel, a process without its first thread is on its way out, as when its memory is being freed.
  provoke(server.endpoint(), "/crasher/leave");
  CHECK(answers(server, "/crasher/", 200));
  CHECK_THAT(server.log(), !Contains("ms inside module crasher"));
}

TEST_CASE("an isolated mount has an address and a worker of its own", "[e2e][containment]") {
  const Site site({"hello", "crasher"});
  const Endpoint alone{0, site.path("alone.sock")};
  ServerProcess server(
      site,
      options({"--workers", "2", "--mount", "/c/=crasher:isolate=on,listen=unix:" + alone.unix_path}, "100"));
  CHECK(server.workers().size() == 3);
  CHECK(fetch(alone, "/c/").status == 200);
  CHECK(fetch(alone, "/hello/").status == 404);
  CHECK(fetch(server.endpoint(), "/c/").status == 404);
  CHECK(fetch(server.endpoint(), "/crasher/").status == 404);
  std::vector<HttpClient> kept;
  for (int i = 0; i < 10; ++i) {
    kept.emplace_back(server.endpoint());
    CHECK(kept.back().get("/hello/").status == 200);
  }
  for (int i = 0; i < 3; ++i) provoke(alone, "/c/crash");
  CHECK(server.logs("was killed by SIGSEGV inside module crasher"));
  for (HttpClient& client : kept) CHECK(client.get("/hello/").status == 200);
  CHECK(eventually([&] { return server.workers().size() == 3; }));
  put(site, "crasher.so", "crasher_mended");
  CHECK(eventually([&] {
    try {
      return fetch(alone, "/c/").body == "mended\n";
    } catch (const std::runtime_error&) {
      return false;
    }
  }));
  CHECK(fetch(alone, "/c/crash").status == 200);
}

TEST_CASE("under load, a crashing module costs only the connections of its worker", "[e2e][containment]") {
  const Site site({"hello", "crasher"});
  ServerProcess server(site, options({"--workers", "2"}, "3"));
  std::atomic<bool> over{false};
  std::atomic<int> answered{0};
  std::atomic<int> cut{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&] {
      while (!over) {
        try {
          HttpClient client(server.endpoint());
          for (int n = 0; n < 1000 && !over; ++n) {
            const HttpAnswer answer = client.get("/hello/");
            if (answer.status == 200 && answer.complete) {
              ++answered;
            } else {
              ++wrong;
            }
          }
        } catch (const std::runtime_error&) {  // its worker crashed
          ++cut;
        }
      }
    });
  }
  CHECK(crashes_until(server, "/crasher/crash", "module crasher is switched off after 3 faults"));
  CHECK(all_answer(server, "/crasher/", 503));
  const int so_far = answered;
  CHECK(eventually([&] { return answered > so_far + 500; }));
  put(site, "crasher.so", "crasher_mended");
  CHECK(answers(server, "/crasher/crash", 200));
  over = true;
  for (std::thread& client : clients) client.join();
  CHECK(wrong == 0);
  CHECK(server.count_in_log("was killed by SIGSEGV") <= 4);
  CHECK(cut <= 4 * 16);
}

TEST_CASE("a crash of a worker that a reload has replaced is logged", "[e2e][containment]") {
  const Site site({"crasher"});
  ServerProcess server(site, options({"--workers", "1"}, "100"));
  HttpClient crashing(server.endpoint());
  CHECK(crashing.get("/crasher/").status == 200);
  REQUIRE(server.reload());
  CHECK(crashing.try_send("GET /crasher/crash HTTP/1.1\r\nHost: a\r\n\r\n"));
  CHECK(server.logs("was killed by SIGSEGV inside module crasher, generation 1, for GET /crasher/crash"));
  CHECK(server.logs("write_nowhere() at crasher.cpp:"));
  CHECK(eventually([&] { return server.workers().size() == 1; }));
  CHECK(answers(server, "/crasher/", 200));
}

TEST_CASE("a worker that a reload has replaced is ended when it is held up", "[e2e][containment]") {
  const Site site({"hello", "sleeper"});
  ServerProcess server(site, options({"--workers", "1", "--hang-limit", "1s"}, "100"));
  HttpClient hanging(server.endpoint());
  CHECK(hanging.get("/hello/").status == 200);
  REQUIRE(server.reload());
  CHECK(hanging.try_send("GET /sleeper/60000 HTTP/1.1\r\nHost: a\r\n\r\n"));
  CHECK(server.logs("was ended, since it was held up for too long inside module sleeper, generation 1"));
  CHECK(eventually([&] { return server.workers().size() == 1; }));
  CHECK(answers(server, "/hello/", 200));
}

// How often a process has given up the processor to wait for something (proc(5)).
static unsigned long waits_of(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("voluntary_ctxt_switches:")) return std::stoul(line.substr(line.find(':') + 1));
  }
  return 0;
}

TEST_CASE("a standstill of the whole machine counts for no worker", "[e2e][containment]") {
  const Site site({"hello", "sleeper"});
  ServerProcess server(site, options({"--workers", "1", "--hang-limit", "2s"}));
  const pid_t worker = server.workers().at(0);
  HttpClient client(server.endpoint());
  REQUIRE(client.try_send("GET /sleeper/600 HTTP/1.1\r\nHost: a\r\n\r\n"));
  REQUIRE(server.logs("has been held up"));
  ::kill(worker, SIGSTOP);
  server.signal(SIGSTOP);
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  const unsigned long waits = waits_of(server.pid());
  server.signal(SIGCONT);
  // The watchdog looks before the worker goes on: the supervisor has waited for something several times.
  CHECK(eventually([&] { return waits_of(server.pid()) >= waits + 3; }));
  ::kill(worker, SIGCONT);
  CHECK(client.read_answer().status == 200);
  CHECK(server.count_in_log("was ended") == 0);
  CHECK(server.workers() == std::vector<pid_t>{worker});
}
