// Parts of a site's earlier releases, through both modules.
#include "common/files/releases.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "common/files/owned_fd.h"
#include "support/file_site.h"

using namespace sluice::files;
using Site = sluice::test::FileSite;
using sluice::test::Answer;
namespace fs = std::filesystem;

namespace {

// A site as tools for deployment lay it out: the releases in a folder, and a link to the current one.
struct Releases : Site {
  // The later one has the higher number.
  void release(int number, const std::string& name, const std::string& content) {
    const std::string at = "releases/" + std::to_string(number);
    write(at + "/" + name, content);
    const timespec then{1'700'000'000 + number, 0};
    const timespec times[2] = {then, then};
    REQUIRE(utimensat(AT_FDCWD, (folder / at).c_str(), times, 0) == 0);
  }
  void make_current(int number) {
    fs::remove(folder / "next");
    fs::create_symlink("releases/" + std::to_string(number), folder / "next");
    fs::rename(folder / "next", folder / "current");
  }
};

}  // namespace

TEST_CASE("the hash in a name is found", "[releases]") {
  CHECK(hash_in_name("/assets/app.3f9a2b1c.min.js") == "3f9a2b1c");
  CHECK(hash_in_name("3f9a2b1c/index-B_x9-aQe.js") == "B_x9-aQe");
  CHECK(hash_in_name("3f9a2b1c/app.js").empty());
}

TEST_CASE("names with a hash of the content are told from others", "[releases]") {
  for (const char* name :
       {"app.3f9a2b1c.js", "assets/index-BX3kz9Qe.js", "index-DiwrgTda.css", "index-B_x9-aQe.js",
        "main.dead8eef.chunk.js", "2.0123456789abcdef0123.map", "chunk_5f2c9d81aa.mjs", "f00dcafe1234.woff2"}) {
    CAPTURE(name);
    CHECK(has_hash_in_name(name));
  }
  for (const char* name : {"index.html",
                           "bootstrap.min.css",
                           "my-long-filename.js",
                           "report-20260131.pdf",
                           "a1b2c3d.js",
                           ".3f9a2b1c",
                           "3f9a2b1c",
                           "3f9a2b1c/app.js",
                           "",
                           "international-standards.html",
                           "serviceWorker.js",
                           "chapter10.html",
                           "bootstrap5.css",
                           "privacyPolicy.html",
                           "invoice2025.pdf",
                           "invoice-10023456.pdf",
                           "report20260131.pdf",
                           "favicon32.png",
                           "my-v2-notes.txt",
                           "the-chapter1.html",
                           "deadbeef.txt"}) {
    CAPTURE(name);
    CHECK_FALSE(has_hash_in_name(name));
  }
}

TEST_CASE_METHOD(Releases, "a hashed name that the current release lacks comes from the latest that has it",
                 "[releases]") {
  release(1, "app.1111111a.js", "one");
  release(1, "page.html", "old page");
  release(2, "app.2222222a.js", "two");
  release(2, "lib.abcdef12.js", "of two");
  release(3, "lib.abcdef12.js", "of three");
  release(4, "index.html", "four");
  make_current(4);
  mount({{"releases", "on"}, {"cache_control", "max-age=60"}});
  CHECK(ask("")->content == "four");
  const Answer old = ask("app.1111111a.js");
  CHECK(old->code == 200);
  CHECK(old->content == "one");
  CHECK(old->line("Content-Type") == "text/javascript; charset=utf-8");
  CHECK(old->line("Cache-Control") == "max-age=60");
  CHECK(ask("app.1111111a.js", {{"If-None-Match", old->line("ETag")}})->code == 304);
  CHECK(ask("app.1111111a.js", {{"Range", "bytes=1-1"}})->content == "n");
  CHECK(ask("lib.abcdef12.js")->content == "of three");
  CHECK(ask("page.html")->code == 404);
  CHECK(ask("app.3333333a.js")->code == 404);
  CHECK(ask("releases/1/app.1111111a.js")->code == 404);
}

TEST_CASE_METHOD(Releases, "a release is switched while the mount serves", "[releases]") {
  release(1, "index.html", "one");
  release(1, "app.1111111a.js", "script one");
  release(2, "index.html", "two");
  make_current(1);
  mount({{"releases", "on"}, {"revalidate_ms", "0"}});
  CHECK(ask("")->content == "one");
  CHECK(ask("app.1111111a.js")->content == "script one");
  make_current(2);
  CHECK(ask("")->content == "two");
  CHECK(ask("app.1111111a.js")->content == "script one");
  fs::remove_all(folder / "releases/1");
  CHECK(ask("app.1111111a.js")->code == 404);
}

TEST_CASE_METHOD(Releases, "only some releases are looked at", "[releases]") {
  for (int number = 1; number <= 4; ++number)
    release(number, "app." + std::string(7, static_cast<char>('0' + number)) + "a.js", "script");
  make_current(4);
  mount({{"releases", "on"}, {"releases_max", "2"}});
  CHECK(ask("app.3333333a.js")->code == 200);
  CHECK(ask("app.2222222a.js")->code == 200);
  CHECK(ask("app.1111111a.js")->code == 404);
}

TEST_CASE_METHOD(Releases, "coded siblings, fallback and error pages are those of a release", "[releases]") {
  release(1, "app.1111111a.js", "script one");
  release(1, "app.1111111a.js.gz", "one in gzip");
  release(2, "app.html", "the page");
  release(2, "errors/404.html", "not here");
  make_current(2);
  mount({{"releases", "on"}, {"precompressed", "on"}, {"fallback", "app.html"}, {"errors", "errors"}});
  CHECK(ask("app.1111111a.js", {{"Accept-Encoding", "gzip"}})->content == "one in gzip");
  CHECK(ask("some/route")->content == "the page");
  const Answer missing = ask("app.3333333a.js");
  CHECK(missing->code == 404);
  CHECK(missing->content == "not here");
}

TEST_CASE_METHOD(Releases, "what is served of each release may be a folder in it", "[releases]") {
  release(1, "public/app.1111111a.js", "one");
  release(1, "config/key.2222222a.json", "secret");
  release(2, "public/index.html", "now");
  release(2, "config/key.3333333a.json", "secret");
  fs::create_symlink("releases/2/public", folder / "current");
  mount({{"releases", "on"}});
  CHECK(ask("")->content == "now");
  CHECK(ask("app.1111111a.js")->content == "one");
  CHECK(ask("key.2222222a.json")->code == 404);
  CHECK(ask("key.3333333a.json")->code == 404);
}

TEST_CASE_METHOD(Releases, "other folders are no releases", "[releases]") {
  write("current/index.html", "now");
  write("backups/app.1111111a.js", "secret");
  mount({{"releases", "on"}});
  CHECK(ask("")->content == "now");
  CHECK(ask("app.1111111a.js")->code == 404);
}

TEST_CASE_METHOD(Releases, "no link leads out of the releases", "[releases]") {
  sluice::test::TempFolder outside;
  outside.write("out.2222222a.js", "secret");
  release(1, "app.1111111a.js", "one");
  release(2, "index.html", "two");
  fs::create_symlink(outside.path, folder / "releases/elsewhere");
  fs::create_symlink(outside / "out.2222222a.js", folder / "releases/1/out.2222222a.js");
  make_current(2);
  mount({{"releases", "on"}});
  CHECK(ask("app.1111111a.js")->content == "one");
  CHECK(ask("out.2222222a.js")->code == 404);
}

TEST_CASE_METHOD(Releases, "a file of the release that has just become current is found", "[releases]") {
  release(1, "index.html", "one");
  release(2, "app.2222222a.js", "two");
  make_current(2);
  const OwnedFd root(open(folder.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  CHECK(find_in_releases(root.get(), "", "app.2222222a.js", 0) == "releases/2/app.2222222a.js");
}

TEST_CASE_METHOD(Site, "options that releases cannot have are refused", "[releases]") {
  CHECK_THROWS_WITH(mount({{"releases", "on"}, {"links", "off"}}), Catch::Contains("leave links=off out"));
  CHECK_THROWS_WITH(mount({{"releases_max", "101"}}), Catch::Contains("write 100 or less"));
}
