// Commands to a running server: their output, and their exit codes.
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

Outcome ask(const Site& site, const std::string& command) {
  return run({sluice_binary(), command}, {{"RUNTIME_DIRECTORY", site.path("run")}});
}

// The value of a series; 0 if it is missing.
unsigned long metric(const Site& site, const std::string& series) {
  const std::string text = "\n" + ask(site, "metrics").out;
  const std::size_t at = text.find("\n" + series + " ");
  return at == std::string::npos ? 0 : std::stoul(text.substr(at + series.size() + 2));
}

}  // namespace

TEST_CASE("the reload command waits, and reports the outcome", "[e2e][control]") {
  const Site site({"hello"});
  const std::string config = site.write_beside("sluice.conf", "mount = \"/a/=hello\"\n");
  ServerProcess server(site, {"--config", config, "--workers", "1"});
  site.write_beside("sluice.conf", "mount = \"/b/=hello\"\n");
  const Outcome done = ask(site, "reload");
  CHECK(done.code == 0);
  CHECK(done.out == "reloaded\n");
  CHECK(fetch(server.endpoint(), "/b/").status == 200);  // served at once, without more waiting
  site.write_beside("sluice.conf", "mount = \"/c/=missing\"\n");
  const Outcome refused = ask(site, "reload");
  CHECK(refused.code == 1);
  CHECK(refused.out.empty());
  CHECK_THAT(refused.err,
             Contains("sluice: not reloaded, and nothing changes: ") && Contains("names the module missing"));
  CHECK(fetch(server.endpoint(), "/b/").status == 200);
  CHECK(server.stop() == 0);
}

TEST_CASE("during a reload no module can be switched on, and its client hears the outcome", "[e2e][control]") {
  const Site site({"hello", "waits_to_start"});
  ServerProcess server(site, {"--workers", "1"});
  const Variables variables{{"RUNTIME_DIRECTORY", site.path("run")}};
  CHECK(run({sluice_binary(), "module", "disable", "hello"}, variables).code == 0);
  site.write("gate", "");
  Outcome reload;
  std::thread asking([&] { reload = ask(site, "reload"); });
  CHECK(server.logs("waiting at the gate"));
  const Outcome enable = run({sluice_binary(), "module", "enable", "hello"}, variables);
  CHECK_THAT(enable.err, Contains("a reload is at work: try again in a moment"));
  server.signal(SIGTERM);
  asking.join();
  std::filesystem::remove(site.root() + "/gate");
  CHECK(reload.code == 1);
  CHECK_THAT(reload.err, Contains("the server is stopping"));
  CHECK(server.wait() == 0);
}

TEST_CASE("the stop command waits for the requests under way, and for the end", "[e2e][control]") {
  const Site site({"defer"});
  ServerProcess server(site, {"--workers", "1", "--mount", "/=defer:delay=1s"});
  HttpClient client(server.endpoint());
  client.request("GET", "/");
  // A worker reads a request when it accepts its connection.
  CHECK(eventually([&] { return metric(site, "sluice_connections_open{worker=\"1\"}") == 1; }));
  Outcome second;
  std::thread asking([&] { second = ask(site, "stop"); });
  const Outcome stopped = ask(site, "stop");
  asking.join();
  CHECK(stopped.code == 0);
  CHECK(stopped.out == "stopped\n");
  // Two of them ask for no more haste than one. The second may come when nobody is there any more.
  CHECK((second.out == "stopped\n" || second.code == 1));
  CHECK(client.read_answer().status == 200);
  CHECK(server.wait() == 0);
}

TEST_CASE("when the stop command has ended, another server can have all that the server had",
          "[e2e][control]") {
  const Site site({"hello"});
  const std::string control = site.path("chosen.sock");
  const std::string log = site.path("access.log");
  ServerProcess server(site, {"--workers", "1", "--control", control, "--access-log", log});
  const std::string address = server.url("").substr(std::string("http://").size());
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(run({sluice_binary(), "stop", "--control", control}).out == "stopped\n");
  CHECK_FALSE(std::filesystem::exists(control));
  CHECK(std::filesystem::file_size(log) > 0);
  const ServerProcess next(site, {"--workers", "1", "--control", control, "--listen", address});
  CHECK(run({sluice_binary(), "status", "--control", control}).code == 0);
  CHECK(server.wait() == 0);
  CHECK(std::filesystem::exists(control));  // the first has not removed the second's
}

TEST_CASE("the status names workers and mounts", "[e2e][control]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "2"});
  const Outcome status = ask(site, "status");
  CHECK(status.code == 0);
  CHECK_THAT(status.out, Contains("process " + std::to_string(server.pid()) + ", running for ") &&
                             Contains("/hello/  hello"));
  for (const pid_t worker : server.workers())
    CHECK_THAT(status.out, Contains(" " + std::to_string(worker) + " "));
}

TEST_CASE("certificates and a page of what happens are printed", "[e2e][control]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "1", "--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0",
                              "--certificate", "self-signed"});
  const Outcome certificates = ask(site, "certificates");
  CHECK_THAT(certificates.out,
             Contains("DAYS LEFT  EXPIRES ") && Contains(" CN=") && Contains("  self-signed\n"));
  const Outcome json =
      run({sluice_binary(), "certificates", "--json"}, {{"RUNTIME_DIRECTORY", site.path("run")}});
  CHECK_THAT(json.out,
             Contains(R"([{"file":"self-signed","sites":["default"],)") && Contains(R"("days_left":)"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  const Outcome top = ask(site, "top");  // this is no terminal
  CHECK(top.code == 0);
  CHECK_THAT(top.out, Contains(" 1 workers, ") && Contains("/hello/") && Contains("WORKER  REQUESTS/S"));
  CHECK(top.out.find('\x1b') == std::string::npos);
  CHECK(server.stop() == 0);
  CHECK(ask(site, "top").code == 1);
}

TEST_CASE("counts outlive the worker that counted", "[e2e][control]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "1"});
  for (int i = 0; i < 5; ++i) CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  const std::string requests = "sluice_requests_total{worker=\"1\"}";
  const std::string answers = "sluice_module_answer_seconds_count{module=\"hello\"}";
  CHECK(metric(site, requests) == 5);
  CHECK(metric(site, answers) == 5);
  ::kill(server.workers().at(0), SIGKILL);
  CHECK(eventually([&] { return fetch(server.endpoint(), "/hello/").status == 200; }));
  CHECK(metric(site, requests) == 6);
  CHECK(ask(site, "reload").code == 0);
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(metric(site, requests) == 7);
  CHECK(metric(site, answers) == 7);
}

TEST_CASE("a server can serve without a control socket, but not with one that cannot be made",
          "[e2e][control]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--control", "off"});
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK_FALSE(std::filesystem::exists(site.path("run")));
  const Outcome broken = run(site.command({"--listen", "127.0.0.1:0", "--control", "/nowhere/at/all"}));
  CHECK(broken.code == 1);
  CHECK_THAT(broken.err, Contains("the control socket /nowhere/at/all cannot be made"));
}

TEST_CASE("the socket is gone when the server has ended", "[e2e][control]") {
  const Site site({"hello"});
  const std::string path = site.path("chosen.sock");
  ServerProcess server(site, {"--control", path});
  CHECK(run({sluice_binary(), "status", "--control", path}).code == 0);
  CHECK(server.stop() == 0);
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(run({sluice_binary(), "status", "--control", path}).code == 1);
}
