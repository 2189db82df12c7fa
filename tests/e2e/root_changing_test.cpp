// Document roots and folders of mounts that are replaced, switched, mounted over or made while a server runs.
// A request after the change sees it. Where workers are confined, that takes new ones, if the root itself is
// another folder: see confinement_test.cpp.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;
namespace fs = std::filesystem;

namespace {

struct Replaced {
  std::string module = GENERATE(as<std::string>(), "static_sendfile", "dynamic_aio");
  Site site{{"static_sendfile", "dynamic_aio"}};
  const std::string root = site.root();
  const std::string base = fs::path(root).parent_path();

  std::vector<std::string> mounted(const std::string& folder) const {
    return {"--workers", "1", "--confine", "off", "--mount", "/m/=" + module + ":root=" + folder};
  }
  // Makes a folder beside the root, with one file.
  std::string make(const std::string& name, const std::string& content) const {
    fs::create_directories(base + "/" + name + "/m");
    std::ofstream(base + "/" + name + "/m/file") << content;
    return base + "/" + name;
  }
  void switch_link(const std::string& link, const std::string& target) const {
    fs::create_symlink(target, link + ".new");
    fs::rename(link + ".new", link);
  }
};

std::string body(HttpClient& client) {
  const HttpAnswer answer = client.get("/m/file");
  return answer.status == 200 ? answer.body : std::to_string(answer.status);
}

}  // namespace

TEST_CASE_METHOD(Replaced, "a release that is rolled out breaks no page of the one before",
                 "[e2e][files][roots]") {
  site.write("releases/1/index.html", "app.1111111a.js");
  site.write("releases/1/app.1111111a.js", "one");
  site.write("releases/2/index.html", "app.2222222a.js");
  site.write("releases/2/app.2222222a.js", "two");
  switch_link(root + "/current", "releases/1");
  ServerProcess server(site, {"--workers", "1", "--mount", "/=" + module + ":releases=on"});
  HttpClient client(server.endpoint());
  const std::string page = client.get("/").body;
  CHECK(page == "app.1111111a.js");
  switch_link(root + "/current", "releases/2");
  CHECK(client.get("/" + page).body == "one");
  CHECK(client.get("/").body == "app.2222222a.js");
  CHECK(client.get("/app.2222222a.js").body == "two");
  CHECK(client.get("/app.3333333a.js").status == 404);
  const Outcome told = run({sluice_binary(), "explain", "/" + page}, {{"RUNTIME_DIRECTORY", site.path("run")}});
  CHECK(told.out.find("the current release lacks it, and another one has it\n    opens releases/1/") !=
        std::string::npos);
  CHECK(server.stop() == 0);
}

TEST_CASE_METHOD(Replaced, "a document root that is replaced", "[e2e][files][roots]") {
  site.write("m/file", "one");
  ServerProcess server(site, {"--workers", "1", "--confine", "off", "--mount", "/m/=" + module});
  HttpClient client(server.endpoint());
  CHECK(body(client) == "one");
  CHECK(body(client) == "one");
  SECTION("by another folder that was beside it") {
    make("next", "two");
    fs::rename(root, base + "/last");
    fs::rename(base + "/next", root);
    CHECK(body(client) == "two");
    fs::rename(root, base + "/next");
    fs::rename(base + "/last", root);
    CHECK(body(client) == "one");
  }
  SECTION("by a new folder") {
    for (const std::string content : {"two", "three"}) {
      fs::remove_all(root);
      CHECK(body(client) == "404");
      CHECK(server.logs("cannot be followed"));
      fs::create_directory(root);
      CHECK(body(client) == "404");
      site.write("m/file", content);
      CHECK(body(client) == content);
      CHECK(body(client) == content);
    }
  }
  SECTION("by a mount") {
    if (mount("none", root.c_str(), "tmpfs", 0, nullptr) != 0) {
      WARN("nothing can be mounted here");
      return;
    }
    site.write("m/file", "two");
    CHECK(body(client) == "two");
    CHECK(umount2(root.c_str(), MNT_DETACH) == 0);
    CHECK(body(client) == "one");
  }
  CHECK(server.stop() == 0);
}

TEST_CASE_METHOD(Replaced, "a document root that is a link, or is behind one", "[e2e][files][roots]") {
  const bool behind = GENERATE(false, true);
  const bool absolute = GENERATE(false, true);
  const std::string link = behind ? base + "/deploy" : root;
  const auto release = [&](const std::string& name) {
    const std::string in = behind ? "releases/" + name + "/root" : "releases/" + name;
    make(in, name);
    return (absolute ? base + "/" : "") + "releases/" + name;
  };
  fs::remove_all(root);
  if (behind) fs::create_symlink("deploy/root", root);
  switch_link(link, release("one"));
  ServerProcess server(site, {"--workers", "1", "--confine", "off", "--mount", "/m/=" + module});
  HttpClient client(server.endpoint());
  CHECK(body(client) == "one");
  const std::string two = release("two");
  CHECK(body(client) == "one");
  switch_link(link, two);
  CHECK(body(client) == "two");
  switch_link(link, release("one"));
  CHECK(body(client) == "one");
  CHECK(server.stop() == 0);
}

TEST_CASE_METHOD(Replaced, "a mount's folder", "[e2e][files][roots]") {
  site.write("releases/1/file", "one");
  site.write("releases/2/file", "two");
  site.write("shared", "between");
  SECTION("that is a link within the document root") {
    const bool absolute = GENERATE(false, true);
    const std::string more = GENERATE(as<std::string>(), "", ",links=off");
    const std::string releases = absolute ? root + "/releases/" : "releases/";
    switch_link(root + "/current", releases + "1");
    ServerProcess server(site, mounted("current" + more));
    HttpClient client(server.endpoint());
    CHECK(body(client) == "one");
    switch_link(root + "/current", releases + "2");
    CHECK(body(client) == "two");
    // Links between the folders of mounts still work.
    fs::create_symlink("../../shared", root + "/releases/2/up");
    CHECK(client.get("/m/up").status == (more.empty() ? 200 : 404));
    switch_link(root + "/current", releases + "1");
    CHECK(body(client) == "one");
  }
  SECTION("that is replaced") {
    ServerProcess server(site, mounted("releases/1"));
    HttpClient client(server.endpoint());
    CHECK(body(client) == "one");
    fs::rename(root + "/releases/1", root + "/releases/0");
    fs::rename(root + "/releases/2", root + "/releases/1");
    CHECK(body(client) == "two");
  }
  SECTION("that is outside of the document root") {
    site.write("../beside/file", "one");
    ServerProcess server(site, mounted(base + "/beside"));
    HttpClient client(server.endpoint());
    CHECK(body(client) == "one");
    fs::remove_all(base + "/beside");
    CHECK(body(client) == "404");
    site.write("../beside/file", "two");
    CHECK(body(client) == "two");
  }
  SECTION("that comes to lead out of the document root") {
    switch_link(root + "/current", "releases/1");
    ServerProcess server(site, mounted("current"));
    HttpClient client(server.endpoint());
    CHECK(body(client) == "one");
    site.write("../beside/file", "outside");
    switch_link(root + "/current", "../beside");
    CHECK(body(client) == "one");
    CHECK(server.logs("leaves the document root"));
  }
}

TEST_CASE_METHOD(Replaced, "a mount's folder that is made after the start", "[e2e][files][roots]") {
  ServerProcess server(site, {"--workers", "1", "--confine", "off", "--mount", "/m/=" + module});
  HttpClient client(server.endpoint());
  CHECK(body(client) == "404");
  site.write("m/file", "one");
  CHECK(body(client) == "one");
  fs::remove_all(root + "/m");
  CHECK(body(client) == "404");
  site.write("elsewhere/file", "two");
  fs::create_symlink("elsewhere", root + "/m");
  CHECK(body(client) == "two");
}

TEST_CASE_METHOD(Replaced, "a document root that the workers' user can no longer reach",
                 "[e2e][files][roots]") {
  if (geteuid() != 0) return;
  site.write("m/file", "one");
  const std::string closed = base + "/closed";
  fs::create_directory(closed);
  fs::rename(root, closed + "/root");
  fs::create_symlink("closed/root", root);
  REQUIRE(chmod(closed.c_str(), 0700) == 0);
  ServerProcess server(site,
                       {"--workers", "1", "--confine", "off", "--user", "nobody", "--mount", "/m/=" + module});
  HttpClient client(server.endpoint());
  CHECK(body(client) == "one");
  CHECK(body(client) == "one");
  CHECK(server.logs("cannot be followed (Permission denied)"));
  CHECK(server.count_in_log("cannot be followed") == 1);
  CHECK(server.stop() == 0);
}
