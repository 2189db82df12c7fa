// What is sent with a file's bytes: RFC 9110 sections 8 and 12; folders and error pages.
#include "conformance/tables/tables.h"

namespace sluice::conformance {
namespace {

using enum Level;

std::string accepting(std::string_view value, std::string_view target = "/squeezed/app.js") {
  return get(target, {std::string("Accept-Encoding: ").append(value)});
}
Case page(const char* rule, const char* name, const char* accept, const std::string& expected) {
  return {ours, rule, name, get("/nothing", {std::string("Accept: ") + accept}),
          "404 | Vary ~ Accept | Content-Type ~ " + expected};
}
Case listing(const char* rule, const char* name, const char* accept, const std::string& expected) {
  return {ours, rule, name, get("/listed/", {std::string("Accept: ") + accept}),
          "200 | Vary ~ Accept | Content-Type ~ " + expected};
}
Case type(const char* name, std::string_view target, const std::string& expected) {
  return {should, "9110 8.3", name, get(target), "200 | Content-Type: " + expected};
}

constexpr const char* kBrowser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
constexpr const char* kPlain = "200 | of /squeezed/app.js | !Content-Encoding | Vary ~ Accept-Encoding";
constexpr const char* kGzip = "200 | text as gzip | Content-Encoding: gzip | Vary ~ Accept-Encoding";
constexpr const char* kBrotli = "200 | text as brotli | Content-Encoding: br | Vary ~ Accept-Encoding";
constexpr const char* kZstd = "200 | text as zstd | Content-Encoding: zstd | Vary ~ Accept-Encoding";

}  // namespace

std::vector<Case> representation_cases() {
  return {
      // Types.
      type("text", "/ten.txt", "text/plain; charset=utf-8"),
      type("HTML", "/page.html", "text/html; charset=utf-8"),
      type("extensions have no case", "/page.HTML", "text/html; charset=utf-8"),
      type("CSS", "/style.css", "text/css; charset=utf-8"),
      type("JavaScript", "/script.js", "text/javascript; charset=utf-8"),
      type("a module of JavaScript", "/module.mjs", "text/javascript; charset=utf-8"),
      type("JSON", "/data.json", "application/json"),
      type("SVG", "/image.svg", "image/svg+xml; charset=utf-8"),
      type("PNG", "/image.png", "image/png"),
      type("WebAssembly", "/app.wasm", "application/wasm"),
      type("PDF", "/paper.pdf", "application/pdf"),
      type("MP4", "/movie.mp4", "video/mp4"),
      type("CSV", "/table.csv", "text/csv; charset=utf-8"),
      type("Markdown", "/notes.md", "text/markdown; charset=utf-8"),
      type("a compressed archive", "/archive.tar.gz", "application/gzip"),
      type("no extension", "/noextension", "application/octet-stream"),
      type("a dot at the end", "/dot.", "application/octet-stream"),
      type("an unknown extension", "/strange.xyzzy", "application/octet-stream"),
      {ours, "9110 8.3", "types=", get("/typed/file.abc"), "200 | Content-Type ~ text/x-abc"},
      {ours, "9110 8.3", "default_type=", get("/typed/file.unknown"), "200 | Content-Type: text/plain"},
      {ours, "WHATWG fetch", "types are to be believed", get("/ten.txt"),
       "200 | X-Content-Type-Options: nosniff"},
      {must, "9110 8.4", "an archive is not coded", get("/archive.tar.gz", {"Accept-Encoding: gzip"}),
       "200 | of /archive.tar.gz | !Content-Encoding"},
      {must, "9110 8.6", "an empty file", get("/empty.txt"), "200 | empty | Content-Length: 0 | keeps"},
      {must, "9110 8.6", "HEAD of an empty file", head("/empty.txt"), "200 | Content-Length: 0 | keeps"},
      {must, "9110 8.6", "a large file", get("/big.bin"), "200 | of /big.bin | Content-Length: 1048576"},
      {must, "9110 9.3.2", "HEAD has what GET has", head("/page.html"),
       "200 | Content-Type: text/html; charset=utf-8 | Last-Modified | ETag | Accept-Ranges: bytes"},
      {ours, "9111 5.2", "no Cache-Control unless asked", get("/ten.txt"), "200 | !Cache-Control"},
      {ours, "9111 5.2", "cache_control=", get("/cached/file.txt"), "200 | Cache-Control: max-age=60"},
      {ours, "9111 4.2.2", "a 404 is not said to be fresh", get("/cached/nothing"),
       "404 | !Cache-Control: max-age=60"},
      // Codings.
      {ours, "9110 12.5.3", "no Accept-Encoding", get("/squeezed/app.js"), kPlain},
      {ours, "9110 12.5.3", "gzip", accepting("gzip"), kGzip},
      {ours, "9110 12.5.3", "br", accepting("br"), kBrotli},
      {ours, "9110 12.5.3", "zstd", accepting("zstd"), kZstd},
      {ours, "9110 8.4.1.3", "x-gzip is gzip", accepting("x-gzip"), "200 | Vary ~ Accept-Encoding"},
      {ours, "9110 12.5.3", "as browsers say it", accepting("gzip, deflate, br, zstd"), kZstd},
      {ours, "9110 12.5.3", "weights", accepting("gzip;q=1.0, br;q=0.5, zstd;q=0.1"), kGzip},
      {ours, "9110 12.4.2", "a weight of 0 is a refusal", accepting("gzip;q=0, br;q=0, zstd;q=0"), kPlain},
      {ours, "9110 12.4.2", "0.000 is 0", accepting("gzip;q=0.000"), kPlain},
      {ours, "9110 12.5.3", "a refusal and a wish", accepting("gzip;q=0, br"), kBrotli},
      {ours, "9110 12.5.3", "any", accepting("*"), "200 | Content-Encoding | Vary ~ Accept-Encoding"},
      {ours, "9110 12.5.3", "any but those named", accepting("zstd;q=0, br;q=0, *"), kGzip},
      {ours, "9110 12.5.3", "none but identity", accepting("identity"), kPlain},
      {ours, "9110 12.5.3", "an empty one", accepting(""), kPlain},
      {ours, "9110 12.5.3", "any is refused", accepting("*;q=0"), "200,406 | !Content-Encoding"},
      {ours, "9110 12.5.3", "identity is preferred", accepting("identity;q=1, gzip;q=0.5"), kPlain},
      {ours, "9110 12.5.3", "names have no case", accepting("GZIP"), kGzip},
      {ours, "9110 12.5.3", "spaces in a member", accepting("gzip ; q=1"), kGzip},
      {ours, "9110 12.5.3", "one that nobody has", accepting("compress"), kPlain},
      {ours, "9110 5.3", "several lines",
       get("/squeezed/app.js", {"Accept-Encoding: compress", "Accept-Encoding: gzip"}), kGzip},
      {ours, "9110 8.8.3", "a tag of its own", accepting("gzip"), "200 | !ETag: {etag /squeezed/app.js}"},
      {ours, "9110 8.8.3", "a tag of the plain one does not hold for the coded one",
       get("/squeezed/app.js", {"Accept-Encoding: gzip", "If-None-Match: {etag /squeezed/app.js}"}), kGzip},
      {ours, "9110 8.3", "the type is that of the plain one", accepting("gzip"),
       "200 | Content-Type: text/javascript; charset=utf-8"},
      {ours, "9110 12.5.3", "HEAD, too", head("/squeezed/app.js", {"Accept-Encoding: gzip"}),
       "200 | Content-Encoding: gzip | Content-Length: 7"},
      {ours, "9110 12.5.3", "only one there is", accepting("br, gzip", "/squeezed/only.css"),
       "200 | text style as gzip | Content-Encoding: gzip"},
      {ours, "9110 12.5.3", "an older one is not sent", accepting("gzip", "/squeezed/stale.js"),
       "200 | of /squeezed/stale.js | !Content-Encoding"},
      {ours, "9110 8.4", "asked for by its own name it is not coded", accepting("gzip", "/squeezed/app.js.gz"),
       "200 | of /squeezed/app.js.gz | !Content-Encoding"},
      {ours, "9110 12.5.3", "not unless asked", accepting("gzip", "/script.js"),
       "200 | of /script.js | !Content-Encoding | !Vary"},
      // Folders.
      {ours, "ours", "a listing", get("/listed/"),
       "200 | Content-Type: text/html; charset=utf-8 | has a.txt | has sub/ | has <!doctype html>"},
      {must, "ours", "a listing encodes markup", get("/listed/"), "200 | has b &amp; &lt;c&gt;.txt | !has <c>"},
      {ours, "ours", "a listing encodes links", get("/listed/"), "200 | has b%20&amp;%20%3Cc%3E.txt"},
      {ours, "ours", "as JSON", get("/listed/", {"Accept: application/json"}),
       "200 | Content-Type ~ application/json | has \"a.txt\""},
      listing("9110 12.5.1", "a listing for a browser", kBrowser, "text/html"),
      listing("9110 12.5.1", "a listing for who takes anything", "*/*", "text/html"),
      listing("9110 12.5.1", "a listing as JSON, or as anything", "application/json, text/plain, */*",
              "application/json"),
      listing("9110 12.5.1", "a listing by weights", "text/html;q=0.8, application/json;q=0.9",
              "application/json"),
      listing("9110 12.4.2", "a listing not as JSON", "application/json;q=0, */*", "text/html"),
      listing("9110 12.4.2", "a listing not as HTML", "text/html;q=0, */*;q=0.1", "application/json"),
      listing("9110 12.5.1", "a listing as anything of a kind", "application/*", "application/json"),
      {must, "9110 12.5.5", "which varies", get("/listed/"), "200 | Vary ~ Accept"},
      {must, "9110 9.3.2", "HEAD of a listing", head("/listed/"),
       "200 | Content-Type: text/html; charset=utf-8 | keeps"},
      {ours, "ours", "a listing of a folder below", get("/listed/sub/"), "200 | has inner.txt"},
      {ours, "ours", "no listing unless asked", get("/bare/"), "403,404"},
      {ours, "ours", "a fallback", get("/app/some/route"), "200 | of /app/app.html | Content-Type ~ text/html"},
      {ours, "ours", "a fallback for who follows a link",
       get("/app/some/v1.2", {"Accept: text/html, */*;q=0.8"}), "200 | of /app/app.html | Vary ~ Accept"},
      {ours, "ours", "no fallback for a part of a page", get("/app/assets/app.js"), "404"},
      {ours, "ours", "no fallback for who wants no page",
       get("/app/some/route", {"Accept: image/avif,image/webp"}), "404"},
      {ours, "8615 3", "no fallback for what is well known", get("/app/.well-known/none"), "404"},
      {ours, "ours", "no fallback for what is there", get("/app/real.txt"), "200 | of /app/real.txt"},
      // Error pages.
      {must, "9110 8.4", "a page for a failed condition is not coded as the file",
       get("/squeezed/app.js", {"Accept-Encoding: gzip", "If-Match: \"other\""}), "412 | !Content-Encoding"},
      {must, "9110 8.4", "nor is one for a range that cannot be",
       get("/squeezed/app.js", {"Accept-Encoding: gzip", "Range: bytes=99-"}),
       "416 | !Content-Encoding | Content-Range: bytes */7"},
      {should, "9110 15.4.5", "nor is a 304",
       get("/squeezed/app.js", {"Accept-Encoding: gzip", "If-None-Match: *"}),
       "304 | !Content-Encoding | Vary ~ Accept-Encoding"},
      {must, "9111 4.2", "a 412 is not said to be fresh", get("/cached/file.txt", {"If-Match: \"other\""}),
       "412 | !Cache-Control"},
      {must, "9111 4.2", "nor is a 416", get("/cached/file.txt", {"Range: bytes=99-"}), "416 | !Cache-Control"},
      {should, "9110 12.5.5", "a page that depends on Accept says so", get("/nothing"), "404 | Vary ~ Accept"},
      {should, "9110 12.5.5", "a redirect's page, too", get("/folder"), "301 | Vary ~ Accept"},
      {ours, "9110 12.5.5", "a page of one's own does not", get("/pages/nothing"), "404 | !Vary"},
      {should, "9110 15.5", "an error says something", get("/nothing"), "404 | has 404"},
      {ours, "9110 12.5.1", "as HTML", get("/nothing", {"Accept: text/html"}),
       "404 | Content-Type ~ text/html"},
      {ours, "9110 12.5.1", "as text", get("/nothing", {"Accept: text/plain"}),
       "404 | Content-Type ~ text/plain"},
      page("9110 12.5.1", "a page for a browser", kBrowser, "text/html"),
      page("9110 12.5.1", "a page for who takes anything", "*/*", "text/html"),
      page("9110 12.4.2", "not as HTML", "text/html;q=0, text/plain", "text/plain"),
      page("9110 12.4.2", "not as text", "text/plain;q=0, text/*", "text/html"),
      page("9110 12.5.1", "a page by weights", "text/html;q=0.4, text/plain;q=0.5", "text/plain"),
      page("9110 12.5.1", "a page by weights, the other way round", "text/plain;q=0.4, text/html;q=0.5",
           "text/html"),
      page("9110 12.5.1", "the most specific range counts", "text/plain;q=0.1, text/*;q=0.9, */*", "text/html"),
      page("9110 12.5.1", "whatever its place", "*/*, text/*;q=0.9, text/html;q=0.1", "text/plain"),
      page("9110 12.5.1", "neither is asked for", "image/png", "text/html"),
      {ours, "9110 5.3", "ranges on several lines",
       get("/nothing", {"Accept: text/html;q=0.1", "Accept: text/plain"}), "404 | Content-Type ~ text/plain"},
      {ours, "ours", "a page of one's own", get("/pages/nothing"),
       "404 | has our own 404 | Content-Type ~ text/html"},
      {must, "9110 9.3.2", "HEAD of an error", head("/nothing"), "404 | Content-Length | keeps"},
      {must, "9110 15.5", "an error is no file: no validators", get("/nothing"),
       "404 | !ETag | !Last-Modified | !Accept-Ranges"},
  };
}

}  // namespace sluice::conformance
