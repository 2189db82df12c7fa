// The access log of a running server: what its lines say, and that neither a disk, a reader nor a crash holds
// the server up or loses what was logged.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool comes_to_say(const std::string& path, const std::string& text) {
  return eventually([&] { return content_of(path).find(text) != std::string::npos; });
}

std::vector<std::string> logging_to(const std::string& path, std::vector<std::string> more = {}) {
  std::vector<std::string> options{"--workers", "1", "--access-log", path};
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

// The process that writes the logs of this server.
pid_t writer_of(const ServerProcess& server) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string folder = entry.path().string();
    if (content_of(folder + "/comm") == "sluice-log\n" &&
        content_of(folder + "/status").find("\nPPid:\t" + std::to_string(server.pid()) + "\n") !=
            std::string::npos)
      return std::stoi(entry.path().filename().string());
  }
  return 0;
}

}  // namespace

TEST_CASE("each request has a line, also a refused one", "[e2e][access_log]") {
  const Site site({"static_sendfile"});
  site.write("static/a", "here");
  const std::string log = site.path("log");
  ServerProcess server(site, logging_to(log));
  CHECK(fetch(server.endpoint(), "/static/a?\"b", "User-Agent: me\r\nReferer: http://r/\r\n").status == 200);
  CHECK(fetch(server.endpoint(), "/none").status == 404);
  HttpClient broken(server.endpoint());
  broken.send("GET /b HTTP/1.1\r\nno colon\r\n\r\n");
  CHECK(broken.read_answer().status == 400);
  HttpClient binary(server.endpoint());
  binary.send("\x16\x03\x01\r\n\r\n");
  CHECK(binary.read_answer().status == 400);
  CHECK(server.stop() == 0);
  const std::string lines = content_of(log);
  CHECK_THAT(lines, Contains("] \"GET /static/a?\\x22b HTTP/1.1\" 200 4 \"http://r/\" \"me\"\n"));
  CHECK_THAT(lines, Contains("] \"GET /none HTTP/1.1\" 404 "));
  CHECK_THAT(lines, Contains("] \"GET /b HTTP/1.1\" 400 "));
  CHECK_THAT(lines, Contains("] \"\\x16\\x03\\x01\" 400 "));
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 4);
}

TEST_CASE("a head that breaks off has a line, and nothing at all has none", "[e2e][access_log]") {
  const Site site({"hello"});
  const std::string log = site.path("log");
  ServerProcess server(site, logging_to(log));
  for (const char* part : {"", "\r\n", "GET /cut HTTP/1.1\r\nUser-Agent: me\r\nX"}) {
    HttpClient client(server.endpoint());
    client.send(part);
    client.finish_sending();
    CHECK(client.read_to_end().empty());
  }
  CHECK(server.stop() == 0);
  const std::string lines = content_of(log);
  CHECK_THAT(lines, Contains("] \"GET /cut HTTP/1.1\" 400 0 \"-\" \"me\"\n"));
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 1);
}

TEST_CASE("a client that resets its connection is known by its address", "[e2e][access_log]") {
  const Site site({"static_sendfile"});
  site.write("static/large", random_bytes(16 * 1024 * 1024));
  const std::string log = site.path("log");
  ServerProcess server(site, logging_to(log));
  HttpClient client(server.endpoint(), kClientTimeoutMs, 4096);
  client.request("GET", "/static/large");
  REQUIRE(client.read_head().status == 200);
  client.close_with_reset();
  CHECK(comes_to_say(log, "\"GET /static/large HTTP/1.1\" 200 "));
  CHECK_THAT(content_of(log), Catch::Matchers::StartsWith("127.0.0.1 - - ["));
}

TEST_CASE("sites have logs and formats of their own", "[e2e][access_log]") {
  const Site site({"hello"});
  const std::string mount = "[[site.mount]]\nat = \"/\"\nmodule = \"hello\"\n";
  const auto config = [&](const std::string& log) {
    return site.write_beside(
        "sluice.toml",
        "workers = 1\nlisten = \"127.0.0.1:0\"\nmount = \"/=hello\"\naccess-log = \"" + site.path(log) +
            "\"\n[[site]]\nnames = \"json.example\"\naccess-log-format = \"json\"\naccess-log = \"" +
            site.path("json") + "\"\n" + mount + "[[site]]\nnames = \"off.example\"\naccess-log = \"off\"\n" +
            mount);
  };
  ServerProcess server(site, {"--config", config("log")});
  const auto ask = [&](const std::string& host) {
    HttpClient client(server.endpoint());
    client.send("GET /of-" + host + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    return client.read_answer().status;
  };
  for (const char* host : {"other", "json.example", "off.example"}) CHECK(ask(host) == 200);
  CHECK(comes_to_say(site.path("log"), "\"GET /of-other HTTP/1.1\" 200 "));
  CHECK(comes_to_say(site.path("json"), R"("host":"json.example","uri":"/of-json.example")"));
  // A reload names another file, and leaves the old one alone.
  config("next");
  REQUIRE(server.reload());
  CHECK(eventually([&] {
    return ask("later") == 200 && content_of(site.path("next")).find("/of-later") != std::string::npos;
  }));
  CHECK(server.stop() == 0);
  CHECK(content_of(site.path("log") + site.path("json")).find("off.example") == std::string::npos);
  CHECK(content_of(site.path("next")).find("off.example") == std::string::npos);
}

TEST_CASE("a rotated log goes on in a new file", "[e2e][access_log]") {
  const Site site({"hello"});
  const std::string log = site.path("log");
  ServerProcess server(site, logging_to(log));
  CHECK(fetch(server.endpoint(), "/before").status == 404);
  CHECK(comes_to_say(log, "/before"));
  fs::rename(log, log + ".1");
  server.signal(SIGUSR1);
  CHECK(eventually([&] { return fs::exists(log); }));
  CHECK(fetch(server.endpoint(), "/after").status == 404);
  CHECK(server.stop() == 0);
  CHECK_THAT(content_of(log), Contains("/after") && !Contains("/before"));
  CHECK_THAT(content_of(log + ".1"), Contains("/before") && !Contains("/after"));
}

TEST_CASE("a log that nobody reads loses lines, and holds nobody up", "[e2e][access_log]") {
  const Site site({"hello"});
  const std::string fifo = site.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0666) == 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ServerProcess server(site, logging_to(fifo));
  HttpClient client(server.endpoint());
  const std::string agent = "User-Agent: " + std::string(4000, 'a') + "\r\n";
  // The pipe takes 64 KiB, and the writer keeps 1 MiB.
  for (int i = 0; i < 10'000 && server.count_in_log("fifo lost lines (") == 0; ++i)
    REQUIRE(client.get("/none", agent).status == 404);
  CHECK(server.count_in_log("fifo lost lines (") > 0);
  ::close(reader);
  CHECK(client.get("/hello/").status == 200);
  CHECK(server.running());
}

TEST_CASE("a log outlives its writer, and the worker that wrote it", "[e2e][access_log]") {
  const Site site({"crasher"});
  const std::string log = site.path("log");
  ServerProcess server(site, logging_to(log));
  CHECK(fetch(server.endpoint(), "/first").status == 404);
  CHECK(comes_to_say(log, "/first"));
  const pid_t writer = writer_of(server);
  REQUIRE(writer > 0);
  ::kill(writer, SIGKILL);
  CHECK(server.logs("the writer of access logs has ended: another one is started"));
  CHECK(fetch(server.endpoint(), "/second").status == 404);
  CHECK(comes_to_say(log, "/second"));
  // The writer sleeps while the worker logs, and finds the lines of a worker that is gone.
  const pid_t next = writer_of(server);
  REQUIRE(next > 0);
  ::kill(next, SIGSTOP);
  CHECK(fetch(server.endpoint(), "/third").status == 404);
  CHECK(fetch(server.endpoint(), "/fourth").status == 404);  // its answer comes after the line of the third
  const std::vector<pid_t> workers = server.workers();
  ::kill(workers.at(0), SIGKILL);
  CHECK(eventually([&] { return server.workers().size() == 1 && server.workers() != workers; }));
  ::kill(next, SIGCONT);
  CHECK(comes_to_say(log, "/third"));
}

TEST_CASE("a log goes on after a reload that was refused, in the next worker", "[e2e][access_log]") {
  const Site site({"hello", "create_kills_worker"});
  const std::string log = site.path("log");
  const std::string settings = "workers = 1\naccess-log = \"" + log + "\"\n";
  const std::string config = site.write_beside("sluice.toml", settings + "without = \"create_kills_worker\"\n");
  ServerProcess server(site, {"--config", config});
  CHECK(fetch(server.endpoint(), "/first").status == 404);
  CHECK(comes_to_say(log, "/first"));
  site.write_beside("sluice.toml", settings);
  CHECK_FALSE(server.reload());
  CHECK(server.logs("a new worker could not start"));
  const std::vector<pid_t> workers = server.workers();
  ::kill(workers.at(0), SIGKILL);
  CHECK(eventually([&] { return server.workers().size() == 1 && server.workers() != workers; }));
  CHECK(fetch(server.endpoint(), "/second").status == 404);
  CHECK(comes_to_say(log, "/second"));
}

TEST_CASE("lines that come after the supervisor was killed are written", "[e2e][access_log]") {
  const Site site({"static_sendfile"});
  const std::string content = random_bytes(16 * 1024 * 1024);
  site.write("static/large", content);
  const std::string log = site.path("log");
  ServerProcess server(site, logging_to(log));
  HttpClient slow(server.endpoint(), kClientTimeoutMs, 4096);
  slow.request("GET", "/static/large");
  REQUIRE(slow.read_head().status == 200);
  server.signal(SIGKILL);
  server.wait();
  CHECK((slow.read_some(content.size()) == content));
  CHECK(comes_to_say(log, "\"GET /static/large HTTP/1.1\" 200 16777216 "));
}

TEST_CASE("a log that cannot be is refused with a sentence", "[e2e][access_log]") {
  const Site site({"hello"});
  const auto check = [&](const std::vector<std::string>& more) {
    std::vector<std::string> options{"--check"};
    options.insert(options.end(), more.begin(), more.end());
    const Outcome outcome = run(site.command(options), {});
    CHECK(outcome.code == 1);
    return outcome.err;
  };
  CHECK_THAT(check({"--access-log", site.path("none/log")}),
             Contains("the folder of the access log " + site.path("none/log") + " does not exist: make it"));
  CHECK_THAT(check({"--access-log", site.root()}), Contains("is a folder: name a file"));
  CHECK_THAT(check({"--access-log-format", "xml"}),
             Contains("'xml' is not a format of the access log: write combined or json"));
}
