// Signal USR2: another program takes a server's place under load, or fails to, and no request is lost.
#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/certified_site.h"
#include "support/server_process.h"
#include "support/tls_client.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

namespace fs = std::filesystem;

// The program under test in a place of its own, where another file can replace it. A server that has taken a
// place is no child of the test, so it is ended here.
class OwnProgram {
 public:
  explicit OwnProgram(const Site& site) : path_(site.path("sluice")), pid_file_(site.path("pid")) {
    fs::copy_file(sluice_binary(), path_);
    ::setenv("SLUICE_BINARY", path_.c_str(), 1);
  }
  ~OwnProgram() {
    ::unsetenv("SLUICE_BINARY");
    if (const pid_t left = pid(); left > 0) ::kill(left, SIGKILL);
  }
  OwnProgram(const OwnProgram&) = delete;
  OwnProgram& operator=(const OwnProgram&) = delete;

  const std::string& pid_file() const { return pid_file_; }
  // The process that serves; -1 without one.
  pid_t pid() const {
    std::ifstream file(pid_file_);
    pid_t pid = -1;
    file >> pid;
    return file ? pid : -1;
  }
  // As a package manager does it.
  void replace(const std::string& content) const {
    const std::string draft = path_ + ".new";
    std::ofstream(draft) << content;
    ::chmod(draft.c_str(), 0755);
    fs::rename(draft, path_);
  }
  void replace_by_equal() const {
    const std::string draft = path_ + ".new";
    fs::copy_file(path_, draft);
    fs::rename(draft, path_);
  }
  // Ends the server that has taken a place, in order.
  bool stop() const {
    const pid_t serving = pid();
    return ::kill(serving, SIGTERM) == 0 && eventually([&] { return ::kill(serving, 0) != 0; });
  }

 private:
  const std::string path_;
  const std::string pid_file_;
};

// Clients that ask without a pause, over kept and over new connections.
class Load {
 public:
  explicit Load(const Endpoint& endpoint) {
    for (const bool keeps : {true, true, false, false})
      threads_.emplace_back([this, endpoint, keeps] { ask(endpoint, keeps); });
  }
  ~Load() { end(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void end() {
    ends_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  int answered() const { return answered_; }
  int failed() const { return failed_; }

 private:
  void ask(const Endpoint& endpoint, bool keeps) {
    while (!ends_) {
      try {
        HttpClient client(endpoint);
        bool kept = true;
        while (kept && !ends_) {
          const HttpAnswer answer = client.get("/hello/");
          ++(answer.status == 200 && answer.complete ? answered_ : failed_);
          kept = keeps && answer.field("Connection") != "close";
        }
      } catch (const std::exception&) {
        ++failed_;
      }
    }
  }

  std::atomic<bool> ends_{false};
  std::atomic<int> answered_{0};
  std::atomic<int> failed_{0};
  std::vector<std::thread> threads_;
};

bool answers_more(const Load& load, int more = 50) {
  const int before = load.answered();
  return eventually([&] { return load.answered() > before + more; });
}

}  // namespace

TEST_CASE("a program takes a server's place under load, and no request is lost", "[e2e][program_upgrade]") {
  const Site site({"hello"});
  const OwnProgram program(site);
  ServerProcess server(site, {"--workers", "2", "--pid-file", program.pid_file()});
  CHECK(program.pid() == server.pid());
  Load load(server.endpoint());
  CHECK(answers_more(load));
  program.replace_by_equal();
  server.signal(SIGUSR2);
  CHECK(server.logs("took the place of process " + std::to_string(server.pid())));
  CHECK(answers_more(load));
  CHECK(server.wait() == 0);  // its last request has ended
  CHECK(answers_more(load));
  const pid_t first = program.pid();
  CHECK(first != server.pid());
  const Outcome status = run({sluice_binary(), "status"}, {{"RUNTIME_DIRECTORY", site.path("run")}});
  CHECK_THAT(status.out, Contains("process " + std::to_string(first) + ", running for "));

  // The one that has taken the place can be replaced as well.
  ::kill(first, SIGUSR2);
  CHECK(eventually([&] { return program.pid() != first; }));
  CHECK(answers_more(load));
  load.end();
  CHECK(load.failed() == 0);
  CHECK(eventually([&] { return ::kill(first, 0) != 0; }));
  CHECK(program.stop());
  CHECK_FALSE(fs::exists(program.pid_file()));
}

TEST_CASE("a program that does not get ready leaves the old server serving", "[e2e][program_upgrade]") {
  const Site site({"hello"});
  const OwnProgram program(site);
  ServerProcess server(site, {"--workers", "1", "--pid-file", program.pid_file()});
  Load load(server.endpoint());
  CHECK(answers_more(load));
  SECTION("it ends at once") {
    program.replace("#!/bin/sh\necho broken on purpose >&2\nexit 3\n");
    server.signal(SIGUSR2);
    CHECK(server.logs("not upgraded, and this server goes on: the new program ended with exit code 3"));
    CHECK(server.logs("broken on purpose"));
  }
  SECTION("it is no program") {
    program.replace(
        "\x7f"
        "ELF and nothing more");
    server.signal(SIGUSR2);
    CHECK(server.logs("not upgraded, and this server goes on: the new program could not be executed"));
  }
  SECTION("it refuses its settings") {
    program.replace("#!/bin/sh\nexec " SLUICE_BINARY " serve --listen nowhere\n");
    server.signal(SIGUSR2);
    CHECK(server.logs("not upgraded, and this server goes on: the new program ended with exit code 1"));
  }
  CHECK(answers_more(load));
  load.end();
  CHECK(load.failed() == 0);
  CHECK(program.pid() == server.pid());
  server.signal(SIGTERM);  // `stop` takes the other program's lines for trouble
  CHECK(server.wait() == 0);
}

TEST_CASE("requests under way end on the old server, and TLS sessions go on with the new one",
          "[e2e][program_upgrade]") {
  const Site site({"defer", "hello"});
  const auto files = write_certificate(site, "localhost");
  const OwnProgram program(site);
  ServerProcess server(site, {"--workers", "1", "--pid-file", program.pid_file(), "--listen", "127.0.0.1:0",
                              "--listen", "https://127.0.0.1:0", "--certificate", files[0], "--key", files[1],
                              "--mount", "/slow/=defer:delay=3s"});
  const Endpoint secure = https_endpoint(server);
  TlsClient client(secure, {"localhost"});
  CHECK(client.get("/hello/").starts_with("HTTP/1.1 200 "));
  const auto session = client.session();
  REQUIRE(session != nullptr);
  HttpClient slow(server.endpoint());
  slow.request("GET", "/slow/");
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);  // the worker has the request, too
  server.signal(SIGUSR2);
  CHECK(server.logs("took the place of process "));
  CHECK(slow.read_answer().status == 200);
  CHECK(server.wait() == 0);
  TlsClient again(secure, {"localhost", 0, session.get()});
  CHECK(again.was_resumed());
  CHECK(again.get("/hello/").starts_with("HTTP/1.1 200 "));
  CHECK(program.stop());
}
