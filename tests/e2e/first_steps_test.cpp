// What a person sees first: a start, a check, a list of modules, and errors in one sentence.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

// A refused start: one line on standard error, nothing else, and exit code 1.
std::string refusal(const Outcome& outcome) {
  INFO("exit code " << outcome.code << ", output:\n" << outcome.out << outcome.err);
  CHECK(outcome.code == 1);
  CHECK(outcome.out.empty());
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK_THAT(outcome.err, StartsWith("sluice: "));
  return outcome.err;
}

// A port that another program listens on.
class TakenPort {
 public:
  TakenPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_, generic, length) != 0 || ::listen(fd_, 1) != 0) throw std::runtime_error("bind fails");
    ::getsockname(fd_, generic, &length);
    port_ = ntohs(address.sin_port);
  }
  ~TakenPort() { ::close(fd_); }
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

}  // namespace

TEST_CASE("a server without modules starts, and says what to do", "[e2e][first]") {
  const Site site;
  ServerProcess server(site);
  CHECK(fetch(server.endpoint(), "/").status == 404);
  CHECK(server.logs("nothing is mounted"));
  CHECK(server.logs("put one there, or name another folder with --plugins"));
}

TEST_CASE("serve starts, says where, and answers", "[e2e][first]") {
  const Site site({"hello", "options"});
  ServerProcess server(site,
                       {"--workers", "2", "--mount", "/second/=hello", "--mount", "/o/=options:number=9"});
  CHECK_THAT(server.out(), StartsWith("sluice serves " + site.root() + "\n"));
  CHECK_THAT(server.out(), Contains(server.url("/second/") + "  by hello\n"));
  CHECK_THAT(server.out(), Contains(server.url("/o/") + "       by options\n"));
  CHECK_THAT(server.out(), Contains("2 workers; stop with Ctrl-C, reload with kill -HUP " +
                                    std::to_string(server.pid()) + "\n"));
  CHECK_THAT(fetch(server.endpoint(), "/second/").body, StartsWith("Hello"));
  CHECK_THAT(fetch(server.endpoint(), "/o/").body, Contains("number=9|9\n"));
  CHECK(server.workers().size() == 2);
  CHECK(server.stop() == 0);
}

TEST_CASE("a module's default place serves without any configuration", "[e2e][first]") {
  const Site site({"hello"});
  ServerProcess server(site);
  CHECK_THAT(server.out(), Contains(server.url("/hello/") + "  by hello\n"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(fetch(server.endpoint(), "/hello/deeper?with=query").status == 200);
  CHECK(fetch(server.endpoint(), "/elsewhere").status == 404);
  const HttpAnswer moved = fetch(server.endpoint(), "/hello?a=b");
  CHECK(moved.status == 301);
  CHECK(moved.field("Location") == "/hello/?a=b");
}

TEST_CASE("--check tries everything and does not serve", "[e2e][first]") {
  const Site site({"hello", "options"});
  const Outcome fine = run(site.command({"--check", "--listen", "127.0.0.1:0", "--mount", "/x/=hello"}));
  CHECK(fine.code == 0);
  CHECK_THAT(fine.out, Contains("/x/  by hello\n"));
  CHECK_THAT(fine.out, Contains("/options/  by options\n"));
  CHECK_THAT(fine.out, Catch::Matchers::EndsWith("ok\n"));
  CHECK(fine.err.empty());

  const TakenPort taken;
  CHECK_THAT(refusal(run(site.command({"--check", "--listen", "127.0.0.1:" + std::to_string(taken.port())}))),
             Contains("the address is in use; stop the other server"));
  CHECK_THAT(refusal(run(site.command({"--check", "--mount", "/x/=options:number=many"}))), Contains("number"));
}

TEST_CASE("--check accepts addresses that a running server has, and says so", "[e2e][first]") {
  const Site site({"hello"});
  ServerProcess server(site);
  const std::string address = "127.0.0.1:" + std::to_string(server.endpoint().port);
  const Outcome outcome = run(site.command({"--check", "--listen", address}));
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.out, Contains("note: " + address + " is in use by a server of this user"));
}

TEST_CASE("missing files that a mount names are reported, and --check fails", "[e2e][first]") {
  const Site site({"hello", "static_sendfile"});
  site.write("docs/page.txt", "a page");
  const std::vector<std::string> mounts = {"--mount", "/docs/=static_sendfile:errors=pages,fallback=app.html",
                                           "--mount", "/img/=static_sendfile"};
  ServerProcess server(site, mounts);
  CHECK(fetch(server.endpoint(), "/docs/page.txt").status == 200);
  CHECK(server.logs("errors= names " + site.root() + "/docs/pages, which does not exist"));
  CHECK(server.logs("fallback= names " + site.root() + "/docs/app.html, which does not exist"));
  CHECK(
      server.logs("module static_sendfile at /img/: it serves " + site.root() + "/img, which does not exist"));
  CHECK_THAT(server.log(), !Contains("worker 1: module static_sendfile"));

  std::vector<std::string> check = mounts;
  check.insert(check.end(), {"--check", "--listen", "127.0.0.1:0"});
  const Outcome outcome = run(site.command(check));
  CHECK(outcome.code == 1);
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 3);
}

TEST_CASE("a folder that no option names may be missing", "[e2e][first]") {
  const Site site({"static_sendfile"});
  const Outcome outcome = run(site.command({"--check", "--listen", "127.0.0.1:0"}));
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.out,
             Contains("note: module static_sendfile at /static/: it serves " + site.root() + "/static"));
}

TEST_CASE("a misspelled variable is reported at the start, and --check fails", "[e2e][first]") {
  const Site site({"hello"});
  const std::string sentence =
      "sluice: the variable SLUICE_WORKER of the environment is unknown: did you mean "
      "SLUICE_WORKERS?\n";
  ServerProcess server(site, {}, {{"SLUICE_WORKER", "2"}});
  CHECK(server.logs(sentence.substr(0, sentence.size() - 1)));
  const Outcome outcome = run(site.command({"--check", "--listen", "127.0.0.1:0"}), {{"SLUICE_WORKER", "2"}});
  CHECK(outcome.code == 1);
  CHECK(outcome.err == sentence);
}

TEST_CASE("a comma that belongs to a value is explained", "[e2e][first]") {
  const Site site({"static_sendfile"});
  const auto refused = [&](const std::string& value) {
    return refusal(run(site.command(
        {"--listen", "127.0.0.1:0", "--mount", "/static/=static_sendfile:cache_control=" + value})));
  };
  CHECK_THAT(refused("public,max-age=3600"),
             Contains("if max-age belongs to the value of cache_control, write the comma before it as \\,"));
  CHECK_THAT(refused("public,immutable"), Contains("or \\, if the comma belongs to the value before it"));
}

TEST_CASE("--check names every broken module, each on a line", "[e2e][first]") {
  const Site site({"hello", "abi_wrong_major", "abi_newer_minor"});
  const Outcome broken = run(site.command({"--check", "--listen", "127.0.0.1:0"}));
  CHECK(broken.code == 1);
  CHECK_THAT(broken.err, Contains("abi_newer_minor.so was built"));
  CHECK_THAT(broken.err, Contains("abi_wrong_major.so was built"));
  CHECK_THAT(broken.err, !Contains("\\x0a"));
}

TEST_CASE("a port in use is reported in one sentence", "[e2e][first]") {
  const Site site({"hello"});
  const TakenPort taken;
  const std::string address = "127.0.0.1:" + std::to_string(taken.port());
  CHECK_THAT(refusal(run(site.command({"--listen", address}))),
             Contains("cannot listen on " + address + ": the address is in use"));
}

TEST_CASE("addresses that clash are refused by the start and by --check alike", "[e2e][first]") {
  const Site site({"hello"});
  const TakenPort taken;
  const std::string port = ":" + std::to_string(taken.port());
  const std::vector<std::vector<std::string>> clashes = {
      {"--listen", port, "--listen", "127.0.0.1" + port},
      {"--listen", port, "--mount", "/alone/=hello:isolate=on,listen=127.0.0.1" + port}};
  for (std::vector<std::string> clash : clashes) {
    const std::string started = refusal(run(site.command(clash)));
    CHECK_THAT(started, Contains("cannot listen on both " + port + " and 127.0.0.1" + port));
    clash.emplace_back("--check");
    CHECK(refusal(run(site.command(clash))) == started);
  }
}

TEST_CASE("a second server does not share the first one's port", "[e2e][first]") {
  const Site site({"hello"});
  ServerProcess server(site);
  const std::string address = "127.0.0.1:" + std::to_string(server.endpoint().port);
  CHECK_THAT(refusal(run(site.command({"--listen", address}))), Contains("the address is in use"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
}

TEST_CASE("settings that cannot be served are refused in one sentence", "[e2e][first]") {
  const Site site({"hello"});
  const auto start = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--listen", "127.0.0.1:0"});
    return refusal(run(site.command(more)));
  };
  CHECK_THAT(start({"--mount", "/x/=nothere"}), Contains("the mount /x/ names the module nothere"));
  CHECK_THAT(start({"--module", "nothere"}), Contains("--module nothere names the module nothere"));
  CHECK_THAT(start({"--mount", "nonsense"}), Contains("the mount 'nonsense' names no module"));
  CHECK_THAT(start({"--mount", "x/=hello"}), Contains("x/"));
  CHECK_THAT(start({"--mount", "/x/=hello:volume=11"}), Contains("has no option volume"));
  CHECK_THAT(start({"--mount", "/x/=hello:root=missing"}), Contains("missing does not exist"));
  CHECK_THAT(start({"--listen", "127.0.0.1:70000"}), Contains("70000"));
  CHECK_THAT(start({"--workers", "many"}), Contains("--workers: "));
  CHECK_THAT(start({"--config", site.path("missing.conf")}), Contains("missing.conf' cannot be read"));
  CHECK_THAT(start({"--user", "nobody-of-that-name"}), Contains("nobody-of-that-name"));
}

TEST_CASE("a module that refuses to be made is reported, and its mounts answer 503", "[e2e][first]") {
  const Site site({"hello", "reject", "thrower", "abi_wrong_major"});
  const std::vector<std::pair<std::string, std::string>> refusals{
      {"reject:how=call", "refuses to start: it has been told to refuse: say how=not"},
      {"reject:how=error", "the moon is in the wrong phase: wait a week"},
      {"reject:how=silent", "it gives no reason"},
      {"thrower:create=on", "thrown while being created"},
      {"abi_wrong_major", "abi_wrong_major.so was built for module ABI 2.2"}};
  for (const auto& [mount, sentence] : refusals) {
    CAPTURE(mount);
    const std::vector<std::string> more{"--mount", "/x/=" + mount, "--workers", "1"};
    {
      const ServerProcess server(site, more);
      CHECK(server.logs(sentence));
      CHECK(server.logs("is switched off: its routes answer 503"));
      const HttpAnswer answer = fetch(server.endpoint(), "/x/");
      CHECK(answer.status == 503);
      CHECK(answer.has("Retry-After"));
      CHECK(fetch(server.endpoint(), "/hello/").status == 200);
    }
    std::vector<std::string> check = more;
    check.push_back("--check");
    CHECK_THAT(run(site.command(check)).err, Contains(sentence));
    CHECK(run(site.command(check)).code == 1);
  }
}

TEST_CASE("a module that crashes or hangs when it is tried is named, and the others serve", "[e2e][first]") {
  for (const std::string bad : {"create_crashes", "create_hangs", "load_crashes"}) {
    CAPTURE(bad);
    const Site site({"hello", bad});
    // A module that could not even be loaded is known by its file.
    const std::string module = bad == "load_crashes" ? "load_crashes" : "swapped";
    const std::vector<std::string> more{"--swap-timeout", "1s",      "--mount",
                                        "/m/=" + module,  "--mount", "/h/=hello"};
    {
      const ServerProcess server(site, more);
      CHECK(server.logs("the process that tried module " + (bad == "load_crashes" ? bad + ".so" : module)));
      CHECK(server.logs("module " + module + " is switched off: its routes answer 503"));
      CHECK_THAT(server.out(), Contains("by " + module + ", switched off"));
      CHECK(fetch(server.endpoint(), "/m/").status == 503);
      CHECK(fetch(server.endpoint(), "/h/").status == 200);
    }
    std::vector<std::string> check = more;
    check.push_back("--check");
    const Outcome checked = run(site.command(check));
    CHECK(checked.code == 1);
    CHECK_THAT(checked.err, Contains("the process that tried module"));
  }
}

TEST_CASE("a module that only a worker cannot make is switched off at the start", "[e2e][first]") {
  const Site site({"hello", "create_kills_worker"});
  const ServerProcess server(site, {"--workers", "2"});
  CHECK(server.logs("module swapped is switched off, since a starting worker ended in it"));
  CHECK(fetch(server.endpoint(), "/swapped/").status == 503);
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
}

TEST_CASE("a missing folder is reported in one sentence", "[e2e][first]") {
  const Site site;
  const std::string binary = sluice_binary();
  CHECK_THAT(refusal(run({binary, "serve", "--root", site.path("nope"), "--plugins", site.plugins()})),
             Contains("the document root " + site.path("nope") + " does not exist"));
  CHECK_THAT(refusal(run({binary, "serve", "--root", site.root(), "--plugins", site.path("nope")})),
             Contains("the folder of modules " + site.path("nope") + " does not exist"));
}

TEST_CASE("an error in the configuration file is reported with its line", "[e2e][first]") {
  const Site site({"hello"});
  const std::string unknown = site.write_beside("one.conf", "# first\nworkers = 1\n\nwrkers = 3\n");
  CHECK_THAT(refusal(run(site.command({"--config", unknown}))),
             Contains(unknown + ":4:1: there is no key 'wrkers'"));
  const std::string malformed = site.write_beside("two.conf", "workers\n");
  CHECK_THAT(refusal(run(site.command({"--config", malformed}))), Contains(malformed + ":1:"));
  const std::string value = site.write_beside("three.conf", "\nhead-timeout = \"soon\"\n");
  CHECK_THAT(refusal(run(site.command({"--config", value}))), Contains(value + ":2:16: head-timeout"));
}

TEST_CASE("command line before environment before file before default", "[e2e][first]") {
  const Site site({"hello"});
  const std::string config =
      site.write_beside("sluice.conf", "workers = 3\nlisten = \"127.0.0.1:0\"\nmount = \"/file/=hello\"\n");
  const auto workers = [&](const std::vector<std::string>& more, Variables variables) {
    variables["SLUICE_CONFIG"] = config;
    ServerProcess server(site, more, variables);
    CHECK(fetch(server.endpoint(), "/file/").status == 200);
    return server.workers().size();
  };
  CHECK(workers({}, {}) == 3);
  CHECK(workers({}, {{"SLUICE_WORKERS", "2"}}) == 2);
  CHECK(workers({"--workers", "1"}, {{"SLUICE_WORKERS", "2"}}) == 1);
}

TEST_CASE("sluice modules lists the modules, and the broken ones", "[e2e][first]") {
  const Site site({"hello", "options", "abi_wrong_major"});
  const Outcome listed = run({sluice_binary(), "modules", "--plugins", site.plugins()});
  CHECK(listed.code == 0);
  CHECK_THAT(listed.out, StartsWith("NAME "));
  CHECK_THAT(listed.out, Contains("\nhello "));
  CHECK_THAT(listed.out, Contains("/options/"));
  CHECK_THAT(listed.out, Contains("choice=two  one|two|three"));
  CHECK_THAT(listed.out, Contains("abi_wrong_major.so cannot be loaded"));
}

TEST_CASE("the program shows its usage", "[e2e][first]") {
  const std::string binary = sluice_binary();
  const Outcome version = run({binary, "--version"});
  CHECK(version.code == 0);
  CHECK_THAT(version.out, StartsWith("sluice "));
  const Outcome help = run({binary, "serve", "--help"});
  CHECK(help.code == 0);
  CHECK_THAT(help.out, Contains("--mount [NAME]PREFIX=MODULE"));
  CHECK(run({binary}).code != 0);
  CHECK(run({binary, "serv"}).code != 0);
}
