// Which file answers for a missing one, which hidden names are served, and how long caches may keep the
// answers; through both modules.
#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "support/file_site.h"

using sluice::test::FileSite;
using Site = FileSite;
using sluice::test::Answer;
using Fields = FileSite::Fields;

TEST_CASE_METHOD(Site, "a missing part of a page is 404 in spite of the fallback", "[options]") {
  write("app.html", "the app");
  mount({{"fallback", "app.html"}, {"types", "part=text/x-part;page=text/html"}});
  const std::string browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
  struct Case {
    std::string path;
    std::string accept;  // "-" for none
    std::uint32_t code;
  };
  const Case cases[] = {
      {"some/route", "-", 200},
      {"some/route", browser, 200},
      {"some/route", "*/*", 200},
      {"some/route/", "-", 200},
      {"", "-", 200},
      {"some/route", "text/*;q=0.1", 200},
      {"some/route", "TEXT/HTML", 200},
      {"some/route", "application/xhtml+xml", 200},
      {"some/route", "application/json", 404},
      {"some/route", "image/avif, image/webp", 404},
      {"some/route", "*/*, text/html;q=0", 404},
      {"some/route", "*/*;q=0.000", 404},
      {"some/route", "application/json, */*;q=0.1", 200},
      // The extension decides, whatever Accept says.
      {"app.js", "-", 404},
      {"assets/app.3f2a1b.css", browser, 404},
      {"logo.PNG", "*/*", 404},
      {"font.woff2", "*/*", 404},
      {"app.js.map", "*/*", 404},
      {"data.json", "-", 404},
      {"x.part", browser, 404},
      {"old.html", "-", 200},
      {"old.htm", "*/*", 200},
      {"old.xhtml", browser, 200},
      {"old.page", "*/*", 200},
      // A name without a known extension may be a route, if a person opened it as a page.
      {"users/john.doe", browser, 200},
      {"releases/v1.2", browser, 200},
      {"users/john.doe", "*/*", 404},
      {"chunk.strange", "-", 404},
      {"dir.js/route", "-", 200},
      {"ends.", "-", 200},
  };
  for (const Case& expected : cases) {
    CAPTURE(expected.path, expected.accept);
    const Fields fields = expected.accept == "-" ? Fields{} : Fields{{"Accept", expected.accept}};
    const Answer answer = ask(expected.path, fields);
    CHECK(answer->code == expected.code);
    if (expected.code == 200) CHECK(answer->line("Vary") == "Accept");
  }
}

TEST_CASE_METHOD(Site, "only files carry the Cache-Control of files", "[options]") {
  const std::string forever = "public, max-age=31536000, immutable";
  write("app.html", "the app");
  write("app.html.gz", "the app in gzip");
  write("app.html.txt", "no app");
  write("dir/a.txt", "a");
  write("errors/404.html", "nothing here");
  mount({{"fallback", "app.html"}, {"cache_control", forever}, {"errors", "errors"}, {"precompressed", "on"}});
  CHECK(ask("dir/a.txt")->line("Cache-Control") == forever);
  CHECK(ask("app.html.txt")->line("Cache-Control") == forever);
  const std::string tag = ask("route")->line("ETag");
  for (const Fields& fields : {Fields{}, Fields{{"Accept-Encoding", "gzip"}}, Fields{{"If-None-Match", tag}},
                               Fields{{"Range", "bytes=1-2"}}}) {
    for (const std::string path : {"route", "app.html"}) {
      CAPTURE(path, fields.empty() ? "" : fields[0].first);
      const Answer answer = ask(path, fields);
      CHECK(answer->code < 400);
      CHECK(answer->line("Cache-Control") == "no-cache");
      CHECK(answer->line("Vary") == "Accept-Encoding, Accept");
    }
  }
  const Answer missing = ask("gone.js");
  CHECK(missing->code == 404);
  CHECK(missing->content == "nothing here");
  CHECK(missing->line("Cache-Control").empty());
  CHECK(missing->line("Vary") == "Accept");
  CHECK(ask("dir")->code == 301);
  CHECK(ask("dir")->line("Cache-Control").empty());
  CHECK(ask("dir/a.txt", {{"Range", "bytes=99-"}})->line("Cache-Control").empty());
  CHECK(ask("dir/a.txt", {{"If-Match", "\"x\""}})->line("Cache-Control").empty());

  const std::size_t listed = rig.mount(folder.path, {{"listing", "on"}, {"cache_control", forever}});
  CHECK(rig.get("dir/", listed)->line("Cache-Control") == "no-cache");
  CHECK(rig.get("dir/a.txt", listed)->line("Cache-Control") == forever);
  const std::size_t plain = rig.mount(folder.path, {{"fallback", "app.html"}});
  CHECK(rig.get("route", plain)->line("Cache-Control").empty());
}

TEST_CASE_METHOD(Site, "/.well-known/ is served, but no hidden name beside or below it", "[files]") {
  write(".well-known/acme-challenge/to-ken_1", "token");
  write(".well-known/.secret", "secret");
  write(".well-known-too", "secret");
  write("a.txt", "fallback");
  write("dir/.well-known/x", "deep");
  mount({{"listing", "on"}, {"fallback", "a.txt"}, {"index", ""}});
  CHECK(ask(".well-known/acme-challenge/to-ken_1")->content == "token");
  CHECK(ask(".well-known")->line("Location") == "/m/.well-known/");
  for (const std::string path : {".well-known/.secret", ".well-known-too", "dir/.well-known/x",
                                 ".well-known/none", ".well-known/none.html", ".well-known/../.secret"}) {
    CAPTURE(path);
    CHECK(ask(path)->code == 404);
  }
  // A listing shows it no more than other hidden names.
  CHECK(ask("")->content.find("well-known") == std::string::npos);
  CHECK(ask(".well-known/")->content.find("acme-challenge/") != std::string::npos);
  CHECK(ask(".well-known/")->content.find("secret") == std::string::npos);
}
