// Workers may do what serving needs, and nothing else. A module tries everything else.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/landlock.h"
#include "e2e/containment.h"
#include "support/refused_calls.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

struct Confined {
  Site site{{"intruder", "static_sendfile"}};
  const std::string secret = site.write_beside("secret", "s");
  const std::string folder = site.path("data");
  const bool landlock = sluice::landlock_version() >= sluice::kLandlockScopes;

  Confined() {
    site.write("static/page", "page");
    std::filesystem::create_directory(folder);
    ::chmod(folder.c_str(), 0777);
  }
  static std::string ask(const ServerProcess& server, const std::string& attempt,
                         const std::string& argument = "") {
    return fetch(server.endpoint(), "/intruder/" + attempt + "?" + argument).body;
  }
  // Whether the sanitizers' builds let it pass.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr bool kSanitized = true;
#else
  static constexpr bool kSanitized = false;
#endif
};

std::string line_of(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name);
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

}  // namespace

TEST_CASE_METHOD(Confined, "a worker reaches no file outside of its folders", "[e2e][confinement]") {
  ServerProcess server(site, {"--confine", "auto", "--workers", "1"});
  if (landlock) {
    CHECK(ask(server, "read", secret) == "EACCES");
    CHECK(ask(server, "read", "/etc/passwd") == "EACCES");
    CHECK(ask(server, "read", "/etc/") == "EACCES");
    CHECK(ask(server, "read", "/proc/" + std::to_string(server.pid()) + "/maps") == "EACCES");
    CHECK(ask(server, "write", folder + "/new") == "EACCES");
    CHECK(ask(server, "write", "/tmp/new") == "EACCES");
  }
  CHECK(ask(server, "write", "/proc/" + std::to_string(server.pid()) + "/mem") == "EACCES");
  CHECK(ask(server, "unlink", secret) == "EACCES");
  CHECK(ask(server, "chmod", secret) == "EACCES");
  CHECK(ask(server, "read", site.root() + "/static/page") == "ok");
  CHECK(ask(server, "write", site.root() + "/static/page") != "ok");
  CHECK(ask(server, "read", "/proc/self/maps") == "ok");
  CHECK(ask(server, "write", "/dev/null") == "ok");
  CHECK(fetch(server.endpoint(), "/static/page").body == "page");
  CHECK(server.stop() == 0);
}

TEST_CASE_METHOD(Confined, "a worker makes no connections", "[e2e][confinement]") {
  ServerProcess server(site, {"--confine", "auto", "--workers", "1"});
  const std::string port = std::to_string(server.endpoint().port);
  CHECK(ask(server, "connect", port) == "socket EACCES");
  CHECK(ask(server, "datagrams", "53") == "socket EACCES");
  CHECK(ask(server, "bind", "0") == "socket EACCES");
  for (const auto& entry : std::filesystem::directory_iterator(site.path("run")))
    CHECK(ask(server, "unix", entry.path()) == "socket EACCES");
  CHECK(server.stop() == 0);
}

TEST_CASE_METHOD(Confined, "a worker reaches no other process", "[e2e][confinement]") {
  ServerProcess server(site, {"--confine", "auto", "--workers", "2"});
  HttpClient client(server.endpoint());  // one connection is served by one worker
  const auto ask_it = [&](const std::string& attempt, const std::string& argument = "") {
    return client.get("/intruder/" + attempt + "?" + argument).body;
  };
  CHECK(ask_it("exec", "/bin/true") != "0");
  const std::string self = line_of(ask_it("status"), "Pid:\t").substr(5);
  int others = 0;
  for (const pid_t pid : {server.pid(), server.workers().at(0), server.workers().at(1)}) {
    const std::string other = std::to_string(pid);
    if (other == self) continue;
    ++others;
    // In the builds of sanitizers only Landlock forbids it.
    if (landlock || !kSanitized) CHECK(ask_it("kill", other) == "EPERM");
    CHECK(ask_it("read", "/proc/" + other + "/mem") == "EACCES");
    CHECK(ask_it("read", "/proc/" + other + "/environ") == "EACCES");
  }
  CHECK(others == 2);
  CHECK(server.workers().size() == 2);
  CHECK(server.stop() == 0);
}

TEST_CASE_METHOD(Confined, "calls that only an attack makes end the worker, and name the module",
                 "[e2e][confinement]") {
  if (std::getenv("SLUICE_BINARY") != nullptr) return;  // another build may let other calls pass than this one
  ServerProcess server(site, options({"--confine", "auto", "--workers", "1"}, "9"));
  const std::string pid = std::to_string(server.pid());
  if (kSanitized) {  // ptrace(2) is their own there
    CHECK(ask(server, "ptrace", pid) == "EPERM");
  } else {
    provoke(server.endpoint(), "/intruder/ptrace?" + pid);
    CHECK(server.logs("was killed by SIGSYS inside module intruder"));
  }
  REQUIRE(answers(server, "/static/page", 200));
  provoke(server.endpoint(), "/intruder/mount?/");
  CHECK(eventually(
      [&] { return server.count_in_log("was killed by SIGSYS inside module") == (kSanitized ? 1 : 2); }));
  CHECK(answers(server, "/static/page", 200));
}

TEST_CASE_METHOD(Confined, "a worker has given up its rights", "[e2e][confinement]") {
  ServerProcess server(site, {"--confine", "auto", "--workers", "1"},
                       {{"HOME", "/here"}, {"A_SECRET", "value"}});
  const std::string status = ask(server, "status");
  CHECK(line_of(status, "NoNewPrivs:") == "NoNewPrivs:\t1");
  CHECK(line_of(status, "Seccomp:") == "Seccomp:\t2");
  for (const char* set : {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"})
    CHECK(line_of(status, set) == std::string(set) + "\t0000000000000000");
  if (::geteuid() == 0) CHECK(line_of(status, "CapBnd:") == "CapBnd:\t0000000000000000");
  CHECK_THAT(ask(server, "limit"), Contains("Max core file size        0                    0 "));
  CHECK(ask(server, "rare") == "EPERM");
  CHECK(ask(server, "newest") == "ENOSYS");
  if (!kSanitized) CHECK(ask(server, "show") == "EPERM");
  if (::prctl(66, 0, 0, 0, 0) >= 0) CHECK(ask(server, "code") == "EACCES");
  CHECK(ask(server, "variable", "HOME") == "/here");
  CHECK(ask(server, "variable", "A_SECRET") == "none");
  // Another process of the same user finds its folder in /proc closed.
  struct stat owner {};
  REQUIRE(::stat(("/proc/" + std::to_string(server.workers().at(0)) + "/mem").c_str(), &owner) == 0);
  CHECK(owner.st_uid == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE_METHOD(Confined, "a worker inherits no descriptor that it does not need", "[e2e][confinement]") {
  // The server itself has one more from whoever starts it.
  const auto leave_open = [&] { ::dup2(::open(secret.c_str(), O_RDONLY), 77); };
  ServerProcess server(site, {"--confine", "auto", "--workers", "2"}, {}, leave_open);
  const std::string open = ask(server, "descriptors");
  CHECK(open.find(secret) == std::string::npos);
  CHECK(open.find(".sock") == std::string::npos);
  CHECK(open.find(site.root()) != std::string::npos);
  std::size_t signals = 0;
  for (std::size_t at = 0; (at = open.find("signalfd", at)) != std::string::npos; ++at) ++signals;
  CHECK(signals == 1);
  CHECK(server.stop() == 0);
}

TEST_CASE_METHOD(Confined, "what is granted to a module is allowed", "[e2e][confinement]") {
  ServerProcess server(site,
                       {"--confine", "auto", "--workers", "1", "--grant",
                        "intruder=network,exec,code,env:A_VARIABLE,read:" + secret + ",write:" + folder},
                       {{"A_VARIABLE", "value"}});
  CHECK(ask(server, "connect", std::to_string(server.endpoint().port)) == "ok");
  CHECK(ask(server, "datagrams", "53") == "ok");
  CHECK(ask(server, "bind", "0") == (landlock ? "EACCES" : "ok"));
  CHECK(ask(server, "exec", "/bin/true") == "0");
  CHECK(ask(server, "exec", secret) == "100");
  CHECK(ask(server, "code") == "ok");
  CHECK(ask(server, "variable", "A_VARIABLE") == "value");
  CHECK(ask(server, "read", secret) == "ok");
  CHECK(ask(server, "write", folder + "/new") == "ok");
  CHECK(ask(server, "unlink", folder + "/new") == "ok");
  if (landlock) CHECK(ask(server, "read", "/etc/passwd") == "EACCES");
  CHECK(server.stop() == 0);
}

TEST_CASE_METHOD(Confined, "workers are not confined with --confine off", "[e2e][confinement]") {
  ServerProcess server(site, {"--workers", "1", "--confine", "off"});
  CHECK(ask(server, "read", secret) == "ok");
  CHECK(ask(server, "connect", std::to_string(server.endpoint().port)) == "ok");
  CHECK(ask(server, "exec", "/bin/true") == "0");
  CHECK(line_of(ask(server, "status"), "Seccomp:") == "Seccomp:\t0");
  CHECK(server.stop() == 0);
}

TEST_CASE_METHOD(Confined, "a kernel without Landlock confines by the rest", "[e2e][confinement]") {
  const auto without = [] { refuse_calls({SYS_landlock_create_ruleset}, ENOSYS); };
  {
    ServerProcess server(site, {"--confine", "auto", "--workers", "1"}, {}, without);
    CHECK(server.logs("this kernel does not offer Landlock, which confines files"));
    CHECK(ask(server, "read", secret) == "ok");
    CHECK(ask(server, "connect", "1") == "socket EACCES");
    CHECK(line_of(ask(server, "status"), "Seccomp:") == "Seccomp:\t2");
    CHECK(server.stop() == 0);
  }
  std::vector<std::string> arguments = site.command({"--listen", "127.0.0.1:0", "--confine", "on"});
  const Outcome refused = run(arguments, {}, "", kWaitMs, without);
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err,
             Contains("--confine on needs what this kernel does not offer: Landlock, which confines") &&
                 Contains("write --confine auto"));
}

TEST_CASE_METHOD(Confined, "a root that was replaced is served by new workers", "[e2e][confinement]") {
  ServerProcess server(site, {"--workers", "1", "--confine", "on"});
  CHECK(fetch(server.endpoint(), "/static/page").body == "page");
  std::filesystem::rename(site.root(), site.path("old"));
  site.write("static/page", "new");
  const auto serves = [&](const std::string& content) {
    return eventually([&] { return fetch(server.endpoint(), "/static/page").body == content; });
  };
  CHECK(serves("new"));
  CHECK(server.logs("a document root is another folder now"));
  CHECK(server.stop() == 0);
}
