// The effects of the options of file mounts, through both modules.
#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "common/files/file_facts.h"
#include "support/file_site.h"

using sluice::test::FileSite;
using Site = FileSite;
using sluice::Method;
using sluice::test::Answer;
using Fields = FileSite::Fields;
using Options = FileSite::Options;

TEST_CASE_METHOD(Site, "a compressed sibling is sent to clients that accept it", "[options]") {
  write("a.html", "plain");
  write("a.html.br", "in br");
  write("a.html.gz", "in gzip");
  write("b.html", "plain", 10);
  write("b.html.gz", "of an older one", 50);
  mount({{"precompressed", "on"}});
  const Answer br = ask("a.html", {{"Accept-Encoding", "gzip, br"}});
  CHECK(br->content == "in br");
  CHECK(br->line("Content-Encoding") == "br");
  CHECK(br->line("Content-Type") == "text/html; charset=utf-8");
  CHECK(br->line("Vary") == "Accept-Encoding");
  const Answer gzip = ask("a.html", {{"Accept-Encoding", "br;q=0.1, gzip"}});
  CHECK(gzip->content == "in gzip");
  const Answer plain = ask("a.html");
  CHECK(plain->content == "plain");
  CHECK(plain->line("Content-Encoding").empty());
  CHECK(plain->line("Vary") == "Accept-Encoding");
  CHECK(plain->line("ETag") != br->line("ETag"));
  CHECK(gzip->line("ETag") != br->line("ETag"));
  CHECK(ask("a.html", {{"Accept-Encoding", "zstd"}})->content == "plain");
  CHECK(ask("b.html", {{"Accept-Encoding", "gzip"}})->content == "plain");
  CHECK(ask("a.html", {{"Accept-Encoding", "br"}, {"If-None-Match", br->line("ETag")}})->code == 304);
  CHECK(ask("a.html.br")->line("Content-Encoding").empty());
}

TEST_CASE_METHOD(Site, "the fallback is sent for a missing file", "[options]") {
  write("app.html", "the app");
  write("a.txt", "a file");
  mount({{"fallback", "app.html"}});
  CHECK(ask("a.txt")->content == "a file");
  const Answer routed = ask("some/route");
  CHECK(routed->code == 200);
  CHECK(routed->content == "the app");
}

TEST_CASE_METHOD(Site, "siblings are compared by whole seconds", "[options]") {
  struct Case {
    timespec plain;
    timespec sibling;
    bool sent;
  };
  const std::time_t then = time(nullptr) - 100;
  const Case cases[] = {
      {{then, 0}, {then, 0}, true},      {{then, 999'999'999}, {then, 0}, true},
      {{then, 1}, {then + 1, 0}, true},  {{then, 0}, {then - 1, 999'999'999}, false},
      {{then, 0}, {then - 1, 0}, false},
  };
  write("a.js", "the plain script");
  write("a.js.gz", "in gzip");
  mount({{"precompressed", "on"}, {"revalidate_ms", "0"}});
  for (const Case& expected : cases) {
    CAPTURE(expected.plain.tv_nsec, expected.sibling.tv_nsec);
    const timespec plain[2] = {expected.plain, expected.plain};
    const timespec sibling[2] = {expected.sibling, expected.sibling};
    REQUIRE(utimensat(AT_FDCWD, (folder / "a.js").c_str(), plain, 0) == 0);
    REQUIRE(utimensat(AT_FDCWD, (folder / "a.js.gz").c_str(), sibling, 0) == 0);
    CHECK(ask("a.js", {{"Accept-Encoding", "gzip"}})->line("Content-Encoding") ==
          (expected.sent ? "gzip" : ""));
  }
}

TEST_CASE_METHOD(Site, "files that browsers cannot decode are not sent", "[options]") {
  // Empty frames. Their heads say how large a window they need.
  const std::string wide("\x28\xB5\x2F\xFD\x00\x70\x01\x00\x00", 9);
  const std::string narrow("\x28\xB5\x2F\xFD\x00\x68\x01\x00\x00", 9);
  write("wide.js", "plain");
  write("wide.js.zst", wide);
  write("wide.js.gz", "in gzip");
  write("alone.js", "plain");
  write("alone.js.zst", wide);
  write("good.js", "plain");
  write("good.js.zst", narrow);
  write("empty.js", "plain");
  write("empty.js.zst", "");
  write("empty.js.br", "");
  write("empty.js.gz", "");
  write("both.js", "");
  write("both.js.gz", "");
  write("large.js", "plain");
  write("large.js.br", "\x11\x1e");
  mount({{"precompressed", "on"}});
  const Fields all = {{"Accept-Encoding", "gzip, br, zstd"}};
  const Answer first = ask("wide.js", all);
  CHECK(first->deferred);
  CHECK(first->line("Content-Encoding") == "gzip");
  CHECK(first->content == "in gzip");
  // It is checked only once.
  const std::uint64_t works = rig.server.works_offered;
  CHECK(ask("wide.js", all)->line("Content-Encoding") == "gzip");
  CHECK(rig.server.works_offered == works);
  CHECK(ask("alone.js", all)->content == "plain");
  CHECK(ask("alone.js", all)->line("Content-Encoding").empty());
  CHECK(ask("good.js", all)->line("Content-Encoding") == "zstd");
  CHECK(ask("good.js", all)->content == narrow);
  CHECK(ask("empty.js", all)->content == "plain");
  CHECK(ask("both.js", all)->line("Content-Encoding") == "gzip");
  CHECK(ask("large.js", all)->content == "plain");
  CHECK(ask("wide.js.zst")->content == wide);
  // Another file of the same name is checked again.
  write("wide.js.zst", narrow + narrow, 50);
  CHECK(ask("wide.js", all)->line("Content-Encoding") == "zstd");
  // If no thread is free in time, another coding answers for now.
  write("busy.js", "plain");
  write("busy.js.zst", narrow);
  write("busy.js.gz", "in gzip");
  for (const std::string name : {"busy.js", "busy.js.zst", "busy.js.gz"}) ask(name);
  rig.server.expire_offloads = true;
  CHECK(ask("busy.js", all)->content == "in gzip");
  rig.server.expire_offloads = false;
  CHECK(ask("busy.js", all)->content == narrow);
}

TEST_CASE_METHOD(Site, "the mount's own page is sent for an error", "[options]") {
  write("errors/404.html", "nothing here");
  write("a.txt", "a file");
  mount({{"errors", "errors"}});
  const Answer missing = ask("b.txt");
  CHECK(missing->code == 404);
  CHECK(missing->content == "nothing here");
  CHECK(missing->line("Content-Type") == "text/html; charset=utf-8");
  const Answer refused = ask("a.txt", {}, Method::post);
  CHECK(refused->code == 405);
  CHECK(refused->line("Allow") == "GET, HEAD, OPTIONS");
  CHECK(ask("a.txt", {}, Method::other)->code == 501);
}

TEST_CASE_METHOD(Site, "a folder's index is the first of the names that is there", "[options]") {
  mount({{"index", "index.html\nindex.htm\nhome.txt"}, {"listing", "on"}});
  write("home.txt", "the third");
  CHECK(ask("")->content == "the third");
  write("index.htm", "the second");
  CHECK(ask("")->content == "the second");
  write("index.html/inside", "no file of that name");
  CHECK(ask("")->content == "the second");
  write("other/a.txt", "a");
  CHECK(ask("other/")->content.find("a.txt") != std::string::npos);
  CHECK(ask("other/index.htm/")->code == 404);
}

TEST_CASE_METHOD(Site, "a folder without an index is listed if listing is on", "[options]") {
  write("docs/a & b.txt", "12345");
  write("index.html", "the index");
  mount({{"listing", "on"}});
  CHECK(ask("")->content == "the index");
  const Answer page = ask("docs/");
  CHECK(page->code == 200);
  CHECK(page->line("Content-Type") == "text/html; charset=utf-8");
  CHECK(page->content.find("a &amp; b.txt") != std::string::npos);
  const Answer json = ask("docs/", {{"Accept", "application/json"}});
  CHECK(json->line("Content-Type") == "application/json");
  CHECK(json->content.find("\"size\":5") != std::string::npos);
  CHECK(ask("none/")->code == 404);
}

TEST_CASE_METHOD(Site, "the text of a large listing is freed by a thread", "[options]") {
  const std::string rest(200, 'x');
  for (int i = 0; i < 3000; ++i) folder.write(std::to_string(i) + rest, "");
  mount({{"listing", "on"}, {"index", ""}});
  SECTION("after it was sent") {
    CHECK(ask("")->content.size() > 1 << 20);
    CHECK(rig.server.works_offered == 2);
  }
  SECTION("after its client left") {
    rig.server.pause_offload(true);
    rig.start({});
    rig.server.pause_offload(false);
    REQUIRE(rig.server.run_until([&] { return rig.server.offload_idle(); }));
    CHECK(rig.server.works_offered == 2);
  }
}

TEST_CASE_METHOD(Site, "tags made of the content are equal on every replica", "[options]") {
  write("a.txt", "same");
  write("b.txt", "same", 200);
  write("c.txt", "other");
  mount({{"etag", "hash"}});
  // A new file might change once more without a trace, so it is not hashed yet.
  const std::string before = ask("a.txt")->line("ETag");
  folder.wait_until_older("c.txt", sluice::files::kYoungSeconds);
  const Answer first = ask("a.txt");
  CHECK(first->line("ETag").starts_with('"'));
  CHECK(first->content == "same");
  CHECK(first->line("ETag") != before);
  CHECK(ask("b.txt")->line("ETag") == first->line("ETag"));
  CHECK(ask("c.txt")->line("ETag") != first->line("ETag"));
  CHECK(ask("a.txt", {{"If-None-Match", first->line("ETag")}})->code == 304);
}

TEST_CASE_METHOD(Site, "a file of types is read when the mount is made", "[options]") {
  write("a.xyz", "x");
  write("a.abc", "x");
  write("mime.types", "application/x-yz  xyz  # and no more\nimage/x-abc abc\n");
  const std::string file = folder.path + "/mime.types";
  mount({{"types_file", file}, {"types", "abc=image/abc"}});
  CHECK(ask("a.xyz")->line("Content-Type") == "application/x-yz");
  CHECK(ask("a.abc")->line("Content-Type") == "image/abc");
  CHECK_THROWS(rig.mount(folder.path, {{"types_file", folder.path + "/missing"}}));
  CHECK_THROWS(rig.mount(folder.path, {{"types_file", folder.path}}));
  write("mime.types", "html text/html\n");
  CHECK_THROWS(rig.mount(folder.path, {{"types_file", file}}));
}

TEST_CASE_METHOD(Site, "fields, types and links follow the mount's options", "[options]") {
  write("a.xyz", "x");
  REQUIRE(symlink("a.xyz", (folder.path + "/link").c_str()) == 0);
  mount({{"cache_control", "max-age=60"}, {"types", "xyz=text/x-yz"}, {"links", "off"}});
  const Answer answer = ask("a.xyz");
  CHECK(answer->line("Cache-Control") == "max-age=60");
  CHECK(answer->line("X-Content-Type-Options") == "nosniff");
  CHECK(answer->line("Content-Type") == "text/x-yz; charset=utf-8");
  CHECK(ask("link")->code == 404);
  CHECK_THROWS(rig.mount(folder.path, {{"types", "xyz"}}));
}
