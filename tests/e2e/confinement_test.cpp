// Workers may do what serving needs, and nothing else. A module tries everything else. To show that it is
// confinement that refuses it, and no mode of a file, each try is made once more where workers are not confined
// and, if the tests may, run as root: there it succeeds.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/landlock.h"
#include "e2e/containment.h"
#include "support/refused_calls.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

bool is_open_to_all(const std::filesystem::path& folder) {
  const auto allowed = std::filesystem::status(folder).permissions() & std::filesystem::perms::others_exec;
  return allowed != std::filesystem::perms::none &&
         (!folder.has_relative_path() || is_open_to_all(folder.parent_path()));
}

struct Confined {
  Site site{{"intruder", "static_sendfile"}};
  const std::string secret = site.write_beside("secret", "s");
  const std::string folder = site.path("data");
  const bool is_root = ::geteuid() == 0;
  const int landlock = sluice::landlock_version();
  const bool files = landlock > 0;
  const bool tcp = landlock >= sluice::kLandlockTcp;
  const bool scopes = landlock >= sluice::kLandlockScopes;

  Confined() {
    if (!scopes) WARN("Landlock has version " << landlock << " here: what a newer one confines is not tried");
    if (!is_root) WARN("without root, what modes of files refuse anyway is not tried");
    site.write("static/page", "page");
    std::filesystem::create_directory(folder);
    ::chmod(folder.c_str(), 0777);
  }
  // A server whose workers file modes do not hold up, if that can be.
  std::vector<std::string> with(const std::string& confine, std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--confine", confine, "--workers", "2"});
    if (is_root) more.insert(more.end(), {"--user", "root"});
    return more;
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

struct Try {
  std::string attempt;
  std::string argument;
  std::string refused;
  std::string free = "ok";
};

// Whether this kernel has sockets of a protocol.
std::string outcome_here(int protocol) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);
  if (fd < 0) return ::strerrorname_np(errno);
  ::close(fd);
  return "ok";
}

// Makes all tries in one worker, and then without confinement.
void compare(const Confined& site, const std::vector<Try>& tries, const std::vector<std::string>& more = {}) {
  for (const std::string confine : {"auto", "off"}) {
    ServerProcess server(site.site, site.with(confine, more));
    HttpClient client(server.endpoint());
    for (const Try& attempt : tries) {
      INFO(confine << ": " << attempt.attempt << " " << attempt.argument);
      const std::string expected = confine == "off" ? attempt.free : attempt.refused;
      CHECK(client.get("/intruder/" + attempt.attempt + "?" + attempt.argument).body == expected);
    }
    CHECK(server.stop() == 0);
  }
}

}  // namespace

TEST_CASE_METHOD(Confined, "a worker reaches no file outside of its folders", "[e2e][confinement]") {
  std::vector<Try> tries;
  if (files) {
    tries = {{"read", secret, "EACCES"},
             {"read", "/etc/passwd", "EACCES"},
             {"read", "/etc/", "EACCES"},
             {"read", "/proc/" + std::to_string(::getpid()) + "/maps", "EACCES"},
             {"write", folder + "/new", "EACCES"},
             {"write", site.root() + "/static/page", "EACCES"},
             {"write", "/proc/" + std::to_string(::getpid()) + "/mem", "EACCES"}};
    if (!is_root) tries.resize(3);
  }
  tries.push_back({"fifo", folder + "/fifo", "EACCES"});
  if (is_root) tries.push_back({"chmod", secret, "EACCES"});
  if (is_root) tries.push_back({"unlink", secret, "EACCES"});
  tries.push_back({"read", "/proc/self/maps", "ok"});
  tries.push_back({"read", site.root() + "/static/page", "ok"});
  tries.push_back({"write", "/dev/null", "ok"});
  compare(*this, tries);
}

TEST_CASE_METHOD(Confined, "what variables name for libraries is read", "[e2e][confinement]") {
  const std::string file = site.write_beside("certificates/file.pem", "c");
  const std::string one = site.write_beside("one/c.pem", "c");
  const std::string two = site.write_beside("two/c.pem", "c");
  const std::string zone = site.write_beside("zones/Here", "z");
  const auto folder_of = [](const std::string& path) { return path.substr(0, path.rfind('/')); };
  ServerProcess server(site, with("auto"),
                       {{"SSL_CERT_FILE", file},
                        {"SSL_CERT_DIR", folder_of(one) + ":" + folder_of(two)},
                        {"TZDIR", folder_of(zone)}});
  for (const std::string& path : {file, one, two, zone}) CHECK(ask(server, "read", path) == "ok");
  const std::string beside = site.write_beside("certificates/key.pem", "k");
  if (files) CHECK(ask(server, "read", beside) == "EACCES");
  CHECK(server.stop() == 0);
}

TEST_CASE_METHOD(Confined, "a worker makes no connections", "[e2e][confinement]") {
  const ServerProcess other(site, {"--workers", "1"});
  const std::string port = std::to_string(other.endpoint().port);
  std::vector<Try> tries{{"connect", port, "socket EACCES"}, {"datagrams", "53", "socket EACCES"},
                         {"fast", port, "socket EACCES"},    {"bind", "0", "socket EACCES"},
                         {"pair", "streams", "ok"},          {"pair", "datagrams", "EPERM"}};
  std::size_t sockets = 0;
  for (const auto& entry : std::filesystem::directory_iterator(site.path("run"))) {
    if (!entry.is_socket()) continue;
    ++sockets;
    if (is_root) tries.push_back({"unix", entry.path(), "socket EACCES"});
  }
  CHECK(sockets > 0);
  compare(*this, tries);
}

TEST_CASE_METHOD(Confined, "a worker reaches no other process", "[e2e][confinement]") {
  for (const std::string confine : {"auto", "off"}) {
    const bool free = confine == "off";
    ServerProcess server(site, with(confine));
    HttpClient client(server.endpoint());  // one connection is served by one worker
    const auto ask_it = [&](const std::string& attempt, const std::string& argument = "") {
      return client.get("/intruder/" + attempt + "?" + argument).body;
    };
    CHECK((ask_it("exec", "/bin/true") == "0") == free);
    CHECK(ask_it("own", std::to_string(server.pid())) == (free ? "ok" : "EPERM"));
    const std::string self = line_of(ask_it("status"), "Pid:\t").substr(5);
    int others = 0;
    for (const pid_t pid : {server.pid(), server.workers().at(0), server.workers().at(1)}) {
      const std::string other = std::to_string(pid);
      if (other == self) continue;
      ++others;
      INFO(confine << " " << other);
      // In the builds of sanitizers only Landlock forbids it.
      if (free || scopes || !kSanitized) CHECK(ask_it("kill", other) == (free ? "ok" : "EPERM"));
      if (free && !is_root) continue;
      CHECK(ask_it("memory", other) == (free ? "ok" : "EPERM"));
      CHECK(ask_it("read", "/proc/" + other + "/mem") == (free ? "ok" : "EACCES"));
      CHECK(ask_it("read", "/proc/" + other + "/environ") == (free ? "ok" : "EACCES"));
    }
    CHECK(others == 2);
    CHECK(server.workers().size() == 2);
    CHECK(server.stop() == 0);
  }
}

TEST_CASE_METHOD(Confined, "calls that only an attack makes end the worker, and name the module",
                 "[e2e][confinement]") {
  if (std::getenv("SLUICE_BINARY") != nullptr) {
    WARN("not tried: another build may let other calls pass than this one");
    return;
  }
  const Process victim({"sleep", "1000"});
  const std::string pid = std::to_string(victim.pid());
  ServerProcess server(site, options(with("auto"), "9"));
  if (kSanitized) {  // ptrace(2) is their own there
    CHECK(ask(server, "ptrace", pid) == "EPERM");
  } else {
    provoke(server.endpoint(), "/intruder/ptrace?" + pid);
    CHECK(server.logs("was killed by SIGSYS inside module intruder"));
  }
  REQUIRE(answers(server, "/static/page", 200));
  provoke(server.endpoint(), "/intruder/mount?" + secret);
  CHECK(eventually(
      [&] { return server.count_in_log("was killed by SIGSYS inside module") == (kSanitized ? 1 : 2); }));
  CHECK(answers(server, "/static/page", 200));
  ServerProcess free(site, with("off"));
  if (is_root) CHECK(ask(free, "ptrace", pid) == "ok");
  CHECK(ask(free, "mount", secret) == (is_root ? "EINVAL" : "EPERM"));
  CHECK(free.stop() == 0);
}

TEST_CASE_METHOD(Confined, "a worker makes no code", "[e2e][confinement]") {
  std::vector<Try> tries{{"memfd", "", "EACCES"}};
  if (::prctl(66, 0, 0, 0, 0) >= 0) {
    tries.push_back({"code", "", "EACCES"});
  } else {
    WARN("this kernel does not know PR_SET_MDWE");
  }
  compare(*this, tries);
}

TEST_CASE_METHOD(Confined, "a worker has given up its rights", "[e2e][confinement]") {
  for (const std::string confine : {"auto", "off"}) {
    const bool free = confine == "off";
    ServerProcess server(site, with(confine), {{"HOME", "/here"}, {"A_SECRET", "value"}});
    const std::string status = ask(server, "status");
    CHECK((line_of(status, "NoNewPrivs:") == "NoNewPrivs:\t1") != free);
    CHECK((line_of(status, "Seccomp:") == "Seccomp:\t2") != free);
    if (!free) {
      for (const char* set : {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"})
        CHECK(line_of(status, set) == std::string(set) + "\t0000000000000000");
    }
    if (is_root) {
      CHECK((line_of(status, "CapBnd:") == "CapBnd:\t0000000000000000") != free);
      CHECK((line_of(status, "CapEff:") == "CapEff:\t0000000000000000") != free);
    }
    const std::string no_cores = "Max core file size        0                    0 ";
    if (!free) CHECK_THAT(ask(server, "limit"), Contains(no_cores));
    CHECK(ask(server, "rare") == (free ? "ok" : "EPERM"));
    // SLUICE_BINARY names a server without sanitizers.
    const bool sanitized = kSanitized && std::getenv("SLUICE_BINARY") == nullptr;
    CHECK(ask(server, "fork") == (free || sanitized ? "ok" : "EACCES"));
    CHECK(ask(server, "filter") == (free ? "ok" : "EPERM"));
    CHECK(ask(server, "filter", "wide") == (free ? "ok" : "EPERM"));
    CHECK(ask(server, "option") == "ok");
    CHECK(ask(server, "newest") == "ENOSYS");
    if (!kSanitized) CHECK(ask(server, "show") == (free ? "ok" : "EPERM"));
    CHECK(ask(server, "variable", "HOME") == "/here");
    CHECK(ask(server, "variable", "A_SECRET") == (free ? "value" : "none"));
    CHECK(server.stop() == 0);
  }
}

TEST_CASE_METHOD(Confined, "a worker is hidden from its own user", "[e2e][confinement]") {
  // A worker that has changed its user is hidden anyway, so the whole server has another user.
  constexpr uid_t kOther = 65'534;
  const uid_t user = is_root ? kOther : ::geteuid();
  const std::string run = site.path("run");
  std::filesystem::create_directory(run);
  REQUIRE(::chown(run.c_str(), user, static_cast<gid_t>(-1)) == 0);
  if (is_root && !is_open_to_all(SLUICE_TEST_PLUGINS)) {
    WARN("another user cannot reach the server in this folder: whether it hides its workers is not tried");
    return;
  }
  const auto become_other = [&] {
    if (is_root && (::setgid(kOther) != 0 || ::setuid(kOther) != 0)) ::_exit(1);
  };
  const auto owner_of_memory = [&](const std::string& confine) {
    ServerProcess server(site, {"--workers", "1", "--confine", confine}, {}, become_other);
    struct stat owner {};
    REQUIRE(::stat(("/proc/" + std::to_string(server.workers().at(0)) + "/mem").c_str(), &owner) == 0);
    CHECK(server.stop() == 0);
    return owner.st_uid;
  };
  CHECK(owner_of_memory("auto") == 0);
  CHECK(owner_of_memory("off") == user);
}

TEST_CASE_METHOD(Confined, "a worker inherits no descriptor that it does not need", "[e2e][confinement]") {
  // The server itself has one more from whoever starts it.
  const auto leave_open = [&] { ::dup2(::open(secret.c_str(), O_RDONLY), 77); };
  for (const std::string confine : {"auto", "off"}) {
    ServerProcess server(site, with(confine), {}, leave_open);
    const std::string open = ask(server, "descriptors");
    CHECK((open.find(secret) == std::string::npos) == (confine == "auto"));
    CHECK(open.find(".sock") == std::string::npos);
    CHECK(open.find(site.root()) != std::string::npos);
    std::size_t signals = 0;
    for (std::size_t at = 0; (at = open.find("signalfd", at)) != std::string::npos; ++at) ++signals;
    CHECK(signals == 1);
    CHECK(server.stop() == 0);
  }
}

TEST_CASE_METHOD(Confined, "what is granted to a module is allowed", "[e2e][confinement]") {
  ServerProcess server(site,
                       {"--confine", "auto", "--workers", "1", "--grant",
                        "intruder=network,exec,code,env:A_VARIABLE,read:" + secret + ",write:" + folder},
                       {{"A_VARIABLE", "value"}});
  CHECK(ask(server, "connect", std::to_string(server.endpoint().port)) == "ok");
  CHECK(ask(server, "datagrams", "53") == "ok");
  CHECK(ask(server, "bind", "0") == (tcp ? "EACCES" : "ok"));
  CHECK(ask(server, "exec", "/bin/true") == "0");
  CHECK(ask(server, "exec", secret) == "100");
  CHECK(ask(server, "unix", site.path("none")) == "socket EACCES");
  CHECK(ask(server, "code") == "ok");
  CHECK(ask(server, "memfd") == "ok");
  CHECK(ask(server, "variable", "A_VARIABLE") == "value");
  CHECK(ask(server, "read", secret) == "ok");
  CHECK(ask(server, "write", folder + "/new") == "ok");
  CHECK(ask(server, "unlink", folder + "/new") == "ok");
  CHECK(ask(server, "fifo", folder + "/fifo") == "ok");
  CHECK(ask(server, "device", folder + "/device") == "EPERM");
  if (files) CHECK(ask(server, "read", "/etc/passwd") == "EACCES");
  CHECK(server.stop() == 0);
}

TEST_CASE_METHOD(Confined, "a module that may listen may not connect", "[e2e][confinement]") {
  const ServerProcess other(site, {"--workers", "1"});
  const std::string port = std::to_string(other.endpoint().port);
  compare(*this,
          {{"bind", "0", "ok"},
           {"connect", port, "EACCES"},
           {"fast", port, "EPERM"},
           {"protocol", std::to_string(IPPROTO_MPTCP), "EACCES", outcome_here(IPPROTO_MPTCP)},
           {"protocol", std::to_string(IPPROTO_SCTP), "EPERM", outcome_here(IPPROTO_SCTP)},
           {"datagrams", "53", "socket EACCES"},
           {"unix", site.path("none"), "socket EACCES", "ENOENT"}},
          {"--grant", "intruder=listen"});
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

TEST_CASE_METHOD(Confined, "what was replaced is read by new workers", "[e2e][confinement]") {
  if (!files) {
    WARN("without Landlock, the same workers read it");
    return;
  }
  const std::string granted = site.write_beside("granted", "one");
  const std::string link = site.path("current");
  site.write_beside("one/page", "page");
  site.write_beside("two/page", "new");
  std::filesystem::create_symlink("one", link);
  ServerProcess server(site, {"--workers", "1", "--mount", "/static/=static_sendfile", "--mount",
                              "/l/=static_sendfile:root=" + link, "--grant", "intruder=read:" + granted});
  const auto serves = [&](const std::string& target, const std::string& content) {
    return eventually([&] { return fetch(server.endpoint(), target).body == content; });
  };
  REQUIRE(serves("/static/page", "page"));
  REQUIRE(serves("/l/page", "page"));
  SECTION("a root") {
    std::filesystem::rename(site.root(), site.path("old"));
    site.write("static/page", "new");
    CHECK(serves("/static/page", "new"));
    CHECK(server.logs(site.root() + " was replaced: new workers take over"));
  }
  SECTION("a link to a root") {
    std::filesystem::create_symlink("two", site.path("next"));
    std::filesystem::rename(site.path("next"), link);
    CHECK(serves("/l/page", "new"));
  }
  SECTION("a file that a grant names") {
    std::filesystem::rename(site.write_beside("next", "two"), granted);
    CHECK(server.logs(granted + " was replaced: new workers take over"));
    CHECK(server.logs("reloaded"));
    CHECK(serves("/intruder/read?" + granted, "ok"));
  }
  CHECK(server.stop() == 0);
}
