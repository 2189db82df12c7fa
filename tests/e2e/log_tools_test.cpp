// Programs that people use with access logs: logrotate with the file of the package, and GoAccess.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

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

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

// Whether there is such a program. Root's folder of programs is not on every user's path.
bool has_program(const std::string& name) {
  if (fs::exists("/usr/sbin/" + name) || fs::exists("/usr/bin/" + name)) return true;
  WARN("SKIPPED: there is no " << name);
  return false;
}

}  // namespace

TEST_CASE("logrotate moves the access log away, and the server begins a new one", "[e2e][access_log]") {
  if (!has_program("logrotate")) return;
  const Site site({"hello"});
  fs::create_directory(site.path("log"));
  const std::string log = site.path("log/access.log");
  ServerProcess server(site, {"--workers", "1", "--access-log", log});
  CHECK(fetch(server.endpoint(), "/hello/?before").status == 200);
  REQUIRE(comes_to_say(log, "/hello/?before"));

  std::string rules = content_of(std::string(SLUICE_SOURCE) + "/cli/service/sluice.logrotate");
  REQUIRE(!rules.empty());
  replace_all(rules, "/var/log/sluice", site.path("log"));
  replace_all(rules, "/run/sluice", site.path("run"));
  const std::string file = site.write_beside("rules", rules);
  // A socket of a process that is no server, which must not get the signal that would end it.
  Process other({"sleep", "60"});
  site.write_beside("run/" + std::to_string(other.pid()) + ".sock", "");
  site.write_beside("run/999999999.sock", "");
  const Variables variables{{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};
  const Outcome rotated = run({"logrotate", "--force", "--state", site.path("state"), file}, variables);
  INFO(rotated.err);
  CHECK(rotated.code == 0);
  CHECK(rotated.err.empty());
  CHECK_THAT(content_of(log + ".1"), Contains("/hello/?before"));
  REQUIRE(eventually([&] { return fs::exists(log); }));
  CHECK(fetch(server.endpoint(), "/hello/?after").status == 200);
  CHECK(comes_to_say(log, "/hello/?after"));
  CHECK_THAT(content_of(log), !Contains("before"));
  CHECK(other.running());
  CHECK(server.stop() == 0);
}

TEST_CASE("GoAccess reads both forms of the access log", "[e2e][access_log]") {
  if (!has_program("goaccess")) return;
  const bool json = GENERATE(false, true);
  const Site site({"hello"});
  const std::string log = site.path("access.log");
  ServerProcess server(
      site, {"--workers", "1", "--access-log", log, "--access-log-format", json ? "json" : "combined"});
  const std::string fields =
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0\r\nReferer: http://r.example/\r\n";
  CHECK(fetch(server.endpoint(), "/hello/", fields).status == 200);
  CHECK(fetch(server.endpoint(), "/none?\"quoted\"", fields).status == 404);
  CHECK(server.stop() == 0);
  const std::string report = site.path("report.json");
  const Outcome read = run({"goaccess", log, "--no-global-config",
                            json ? "--log-format=CADDY" : "--log-format=COMBINED", "-o", report});
  INFO(read.err);
  CHECK(read.code == 0);
  std::string said = content_of(report);
  std::erase(said, ' ');
  CHECK_THAT(said, Contains("\"valid_requests\":2") && Contains("\"failed_requests\":0"));
  CHECK_THAT(said, Contains("\"unique_not_found\":1") && Contains("\"unique_referrers\":1"));
  CHECK_THAT(said, Contains("\"data\":\"\\/hello\\/\"") && Contains("\"data\":\"Firefox\""));
}
