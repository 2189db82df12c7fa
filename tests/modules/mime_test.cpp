#include <catch2/catch.hpp>

#include "common/http/http_text.h"
#include "common/http/mime_types.h"

using sluice::files::append_encoded_path;
using sluice::files::append_html;
using sluice::files::http_date;
using sluice::files::iso_date;
using sluice::files::mime_type;

TEST_CASE("the type follows the last extension of the name", "[mime]") {
  CHECK(mime_type("index.html", "x/y") == "text/html; charset=utf-8");
  CHECK(mime_type("a/b.c/photo.JPeG", "x/y") == "image/jpeg");
  CHECK(mime_type("a.tar.gz", "x/y") == "application/gzip");
  CHECK(mime_type("app.js", "x/y") == "text/javascript; charset=utf-8");
  CHECK(mime_type("data.json", "x/y") == "application/json");
  CHECK(mime_type("logo.svg", "x/y") == "image/svg+xml; charset=utf-8");
  CHECK(mime_type("feed.xml", "x/y") == "application/xml; charset=utf-8");
  CHECK(mime_type("site.webmanifest", "x/y") == "application/manifest+json");
  CHECK(mime_type("video.3gp", "x/y") == "video/3gpp");          // the first one of the table
  CHECK(mime_type("archive.zst", "x/y") == "application/zstd");  // and the last one
  CHECK(mime_type("lib.wasm", "x/y") == "application/wasm");
}

TEST_CASE("names without a known extension get the fallback", "[mime]") {
  for (const char* name : {"", "README", "dir.html/README", ".html", "a/.css", "a.", "a.unknown", "a.html2",
                           "a.averyveryverylongextension", "a.zzz", "a.0"}) {
    CAPTURE(name);
    CHECK(mime_type(name, "x/y") == "x/y");
  }
}

TEST_CASE("dates are IMF-fixdates", "[text]") {
  CHECK(http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(http_date(1709164800) == "Thu, 29 Feb 2024 00:00:00 GMT");
  CHECK(http_date(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
  CHECK(http_date(253402300799) == "Fri, 31 Dec 9999 23:59:59 GMT");
  CHECK(http_date(253402300800).empty());
  CHECK(http_date(-62167219200) == "Sat, 01 Jan 0000 00:00:00 GMT");
  CHECK(http_date(-62167219201).empty());
  CHECK(iso_date(1709210096) == "2024-02-29T12:34:56Z");
  CHECK(iso_date(std::int64_t{1} << 60).empty());
}

TEST_CASE("paths and HTML are escaped", "[text]") {
  std::string path;
  append_encoded_path(path, "a b/\xC3\xA4?#%\"<>/x+y,z;=@:~");
  CHECK(path == "a%20b/%C3%A4%3F%23%25%22%3C%3E/x+y,z;=@:~");
  std::string html;
  append_html(html, "<a href=\"x\">&'");
  CHECK(html == "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
}
