// What handlers of files and filters say of their decisions, when somebody listens.
#include <catch2/catch.hpp>
#include <string>

#include "common/serving/open_faults.h"
#include "modules/plain_site.h"
#include "support/file_site.h"

using namespace sluice;
using Catch::Matchers::Contains;
using test::Answer;
using test::FileSite;
using test::ModuleRig;
using test::RequestPlan;
using test::TempFolder;
using test::Unprivileged;

namespace {

std::string all(const Answer& answer) {
  std::string text;
  for (const std::string& decision : answer->decisions) text += decision + "\n";
  return text;
}

struct Explained : FileSite {
  Answer asked;
  std::string explain(const std::string& path, const Fields& fields = {}, Method method = Method::get) {
    RequestPlan plan;
    plan.path = path;
    plan.fields = fields;
    plan.method = method;
    plan.explained = true;
    asked = rig.run(std::move(plan));
    return all(asked);
  }
};

std::string explain(ModuleRig& rig, RequestPlan plan) {
  plan.explained = true;
  return all(rig.run(std::move(plan)));
}

}  // namespace

TEST_CASE_METHOD(Explained, "without a listener nothing is told", "[explain]") {
  write("a.txt", "content");
  mount({});
  CHECK(ask("a.txt")->decisions.empty());
  CHECK(ask("missing")->decisions.empty());
  CHECK_THAT(explain("a.txt"), Contains("opens a.txt: 7 bytes, text/plain; charset=utf-8, ETag "));
}

TEST_CASE_METHOD(Explained, "a handler of files tells why a file is not there", "[explain]") {
  write("docs/a.txt", "content");
  write(".git/config", "content");
  std::filesystem::create_symlink("/etc/passwd", folder / "out");
  std::filesystem::create_symlink("docs", folder / "in");
  const std::string links = GENERATE("on", "off");
  mount({{"links", links}});
  CHECK(explain("docs/b.txt") == folder / "docs has no 'b.txt'\n");
  CHECK(asked->code == 404);
  CHECK(explain("x/y/z") == folder.path + " has no 'x'\n");
  CHECK(explain("docs/a.txt/b") == folder / "docs/a.txt is no folder\n");
  CHECK_THAT(explain(".git/config"), Contains("begins with a dot"));
  CHECK_THAT(explain("docs/"), Contains(folder / "docs has no 'index.html'"));
  if (links == "on") {
    CHECK(explain("out") == folder / "out is a symbolic link that leads out of " + folder.path + "\n");
    CHECK_THAT(explain("in/a.txt"), Contains("opens in/a.txt"));
  } else {
    CHECK(explain("in/a.txt") == folder / "in is a symbolic link, and links=off follows none\n");
  }
}

TEST_CASE_METHOD(Explained, "a handler of files tells who may not read what", "[explain]") {
  write("secret.txt", "content");
  write("closed/a.txt", "content");
  chmod(folder.path.c_str(), 0755);
  chmod((folder / "secret.txt").c_str(), 0);
  chmod((folder / "closed").c_str(), 0);
  mount({});
  {
    const Unprivileged unprivileged;
    CHECK_THAT(explain("secret.txt"), Contains(" may not read " + folder / "secret.txt"));
    CHECK(asked->code == 403);
    CHECK_THAT(explain("closed/a.txt"), Contains(" may not enter the folder " + folder / "closed\n"));
    CHECK(asked->code == 403);
  }
  chmod((folder / "closed").c_str(), 0755);
}

TEST_CASE_METHOD(Explained, "a handler of files tells what conditions, ranges and fallbacks have decided",
                 "[explain]") {
  write("a.txt", "content");
  write("app.html", "app");
  mount({{"fallback", "app.html"}});
  const std::string etag = ask("a.txt")->line("ETag");
  CHECK_THAT(explain("a.txt", {{"If-None-Match", etag}}), Contains("304: If-None-Match"));
  CHECK_THAT(explain("a.txt", {{"If-Match", "\"x\""}}), Contains("412: If-Match"));
  CHECK_THAT(explain("a.txt", {{"If-Match", "*"}}), Contains("let it answer"));
  CHECK_THAT(explain("a.txt", {{"Range", "bytes=0-1,3-4"}}), Contains("206: Range asks for 2"));
  CHECK_THAT(explain("a.txt", {{"Range", "bytes=99-"}}), Contains("416"));
  CHECK_THAT(explain("a.txt", {{"Range", "bytes=0-1"}, {"If-Range", "\"x\""}}),
             Contains("If-Range does not hold"));
  CHECK_THAT(explain("route", {{"Accept", "text/html"}}), Contains("the fallback app.html"));
  CHECK_THAT(explain("b.js"), Contains("fallback= does not answer: the name has the extension"));
}

TEST_CASE_METHOD(Explained, "a handler of files tells which variant it sends", "[explain]") {
  if (module != "static_sendfile") return;
  write("a.txt", "content of the plain file", 100);
  write("a.txt.gz", "coded", 100);
  write("a.txt.br", "older", 500);
  mount({{"precompressed", "on"}});
  const std::string told = explain("a.txt", {{"Accept-Encoding", "zstd, br, gzip;q=0.5"}});
  CHECK_THAT(told, Contains("best first: zstd br gzip identity\n"));
  CHECK_THAT(told, Contains("has no 'a.txt.zst'\n"));
  CHECK_THAT(told, Contains("leaves a.txt.br out: it is older than the plain file\n"));
  CHECK_THAT(told, Contains("opens a.txt.gz, coded with gzip: 5 bytes"));
  CHECK_THAT(explain("a.txt"), Contains("best first: identity\nopens a.txt: "));
}

TEST_CASE("filters tell why they refuse", "[explain]") {
  RequestPlan plan;
  ModuleRig access(SLUICE_TEST_PLUGINS "/access.so");
  access.mount("", {{"allow", "198.51.100.0/24"}});
  CHECK(explain(access, plan) == "192.0.2.1 is in deny, or not in allow\n");
  ModuleRig limit(SLUICE_TEST_PLUGINS "/limit.so");
  limit.mount("", {{"rate", "1/h"}});
  CHECK(explain(limit, plan).empty());
  CHECK_THAT(explain(limit, plan), Contains("more requests than rate="));
  ModuleRig rewrite(SLUICE_TEST_PLUGINS "/rewrite.so");
  rewrite.mount("", {{"rules", "^/none$ /x\n^/m/(.*)$ /other/\\1"}});
  plan.path = "page";
  CHECK(explain(rewrite, plan) == "rule 2 has the path /m/page\n");
}

TEST_CASE("what is neither a file nor a folder is named", "[explain]") {
  const TempFolder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0644) == 0);
  const int fd = open(folder.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  CHECK(files::why_not_opened(fd, "pipe", files::Links::followed, ENXIO) ==
        folder / "pipe is neither a file nor a folder");
  CHECK_THAT(files::why_not_opened(fd, "pipe", files::Links::followed, EIO), Contains("Input/output error"));
  close(fd);
}
