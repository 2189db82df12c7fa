// Files through both of the product's file modules, fetched by wget, curl and a strict client.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

constexpr std::size_t kKibi = 1024;
constexpr std::size_t kMebi = 1024 * kKibi;
constexpr int kFiles = 50;  // of each size

const std::vector<std::string> kModules{"static_sendfile", "dynamic_aio"};
const std::vector<std::string> kPlaces{"/static/", "/dynamic/"};

std::string file_name(const std::string& kind, int number) {
  return kind + std::to_string(number) + ".dat";
}

// Adds a file below static/ and, as a link, below dynamic/.
void add_file(const Site& site, const std::string& name, std::string_view content) {
  site.write("static/" + name, content);
  site.link("dynamic/" + name, "../static/" + name);
}

Site& full_site() {
  static Site site(kModules);
  static const bool made = [] {
    for (int i = 0; i < kFiles; ++i) {
      add_file(site, file_name("small", i), random_bytes(2 * kKibi, static_cast<unsigned>(i)));
      add_file(site, file_name("large", i), random_bytes(2 * kMebi, static_cast<unsigned>(1000 + i)));
    }
    return true;
  }();
  static_cast<void>(made);
  return site;
}

std::string content_of(const std::filesystem::path& path) {
  std::string content(std::filesystem::file_size(path), '\0');
  std::ifstream(path, std::ios::binary).read(content.data(), static_cast<std::streamsize>(content.size()));
  return content;
}

// Fetches files of a kind by many processes of a tool at once. Each has to arrive as it is on disk.
void fetch_with(const std::string& tool, const ServerProcess& server, const Site& site,
                const std::string& place, const std::string& kind, int count, int at_once) {
  INFO(tool << ", " << place << kind << ", " << at_once << " at once");
  const ScratchFolder out;
  const std::string source = server.url(place) + kind + "{}.dat";
  const std::string target = out.path("{}");
  const std::string command = tool == "wget"
                                  ? "wget -q --no-proxy --tries=1 --timeout=20 -O " + target + " " + source
                                  : "curl -sS --fail --noproxy '*' --max-time 20 -o " + target + " " + source;
  const Outcome outcome = run(
      {"/bin/sh", "-c",
       "seq 0 " + std::to_string(count - 1) + " | xargs -P " + std::to_string(at_once) + " -I{} " + command});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  for (int i = 0; i < count; ++i) {
    INFO(file_name(kind, i));
    REQUIRE(content_of(out.path(std::to_string(i))) ==
            content_of(site.root() + "/static/" + file_name(kind, i)));
  }
}

}  // namespace

TEST_CASE("wget and curl fetch files one, two and fifty at once", "[e2e][files]") {
  const Site& site = full_site();
  ServerProcess server(site);
  const std::string tool = GENERATE("wget", "curl");
  for (const std::string& place : kPlaces) {
    for (const std::string kind : {"small", "large"}) {
      fetch_with(tool, server, site, place, kind, 1, 1);
      fetch_with(tool, server, site, place, kind, 2, 2);
      fetch_with(tool, server, site, place, kind, kFiles, kFiles);
    }
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("wget and curl continue a transfer that broke off", "[e2e][files]") {
  const Site& site = full_site();
  ServerProcess server(site);
  const std::string whole = content_of(site.root() + "/static/large0.dat");
  for (const std::string& place : kPlaces) {
    const ScratchFolder out;
    for (const std::string name : {"wget", "curl"})
      out.write(name, std::string_view(whole).substr(0, kMebi + 7));
    const std::string url = server.url(place) + "large0.dat";
    const Outcome wget = run({"wget", "-q", "-c", "--no-proxy", "--tries=1", "-O", out.path("wget"), url});
    const Outcome curl = run({"curl", "-sS", "--fail", "--noproxy", "*", "-C", "-", "-w", "%{http_code}", "-o",
                              out.path("curl"), url});
    CHECK(wget.code == 0);
    CHECK(curl.code == 0);
    CHECK(curl.out == "206");
    CHECK((content_of(out.path("wget")) == whole));
    CHECK((content_of(out.path("curl")) == whole));
  }
}

TEST_CASE("Python's http.client keeps its connection", "[e2e][files]") {
  const Site& site = full_site();
  ServerProcess server(site);
  const Outcome outcome = run({"python3", "-c",
                               "import http.client, sys\n"
                               "c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=20)\n"
                               "sockets = set()\n"
                               "for path in ('/static/small1.dat', '/dynamic/large1.dat', '/nothing'):\n"
                               "  for method in ('GET', 'HEAD'):\n"
                               "    c.request(method, path, headers={'Range': 'bytes=1-5'})\n"
                               "    sockets.add(c.sock.fileno())\n"
                               "    r = c.getresponse()\n"
                               "    size = len(r.read())\n"
                               "    print(r.status, size if r.status < 300 else size > 0)\n"
                               "print(len(sockets))\n",
                               std::to_string(server.endpoint().port)});
  INFO(outcome.err);
  CHECK(outcome.out == "206 5\n200 0\n206 5\n200 0\n404 True\n404 False\n1\n");
}

TEST_CASE("files over one kept connection, and pipelined", "[e2e][files]") {
  const Site& site = full_site();
  ServerProcess server(site, {"--workers", "1"});
  for (const std::string& place : kPlaces) {
    HttpClient client(server.endpoint());
    std::string requests;
    for (int i = 0; i < 10; ++i) {
      for (const std::string kind : {"small", "large"}) {
        requests += "GET " + place + file_name(kind, i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
      }
    }
    client.send(requests);
    for (int i = 0; i < 10; ++i) {
      for (const std::string kind : {"small", "large"}) {
        const HttpAnswer answer = client.read_answer();
        REQUIRE(answer.status == 200);
        REQUIRE((answer.body == content_of(site.root() + "/static/" + file_name(kind, i))));
      }
    }
  }
}

TEST_CASE("every file has its fields, and HEAD agrees", "[e2e][files]") {
  const Site site(kModules);
  add_file(site, "page.html", "<p>page</p>\n");
  add_file(site, "big.html", std::string(100'000, 'b'));
  add_file(site, "empty.txt", "");
  add_file(site, "unknown.extension", "x");
  ServerProcess server(site);
  for (const std::string& place : kPlaces) {
    HttpClient client(server.endpoint());
    for (const std::string name : {"page.html", "big.html", "empty.txt", "unknown.extension"}) {
      INFO(place << name);
      const HttpAnswer got = client.get(place + name);
      CHECK(got.status == 200);
      CHECK(got.field("Content-Length") == std::to_string(got.body.size()));
      CHECK(got.body.size() == std::filesystem::file_size(site.root() + "/static/" + name));
      CHECK_THAT(got.field("Last-Modified"), Catch::Matchers::EndsWith(" GMT"));
      // Strong only if no write of the same moment can go unnoticed.
      CHECK_THAT(got.field("ETag"), StartsWith("\"") || StartsWith("W/\""));
      CHECK(got.has("Date"));
      client.request("HEAD", place + name);
      HttpAnswer head = client.read_answer(true);
      head.fields.erase(head.fields.begin() + 1);  // Date may have moved on
      std::vector<std::pair<std::string, std::string>> fields = got.fields;
      fields.erase(fields.begin() + 1);
      CHECK(head.fields == fields);
    }
    CHECK_THAT(client.get(place + "page.html").field("Content-Type"), StartsWith("text/html"));
    CHECK(client.get(place + "unknown.extension").field("Content-Type") == "application/octet-stream");
  }
}

TEST_CASE("missing, hidden and outside names, and other kinds of files, are not served", "[e2e][files]") {
  const Site site(kModules);
  site.write_beside("secret.txt", "secret");
  for (const std::string folder : {"static", "dynamic"}) {
    site.write(folder + "/sub/index.html", "index of sub");
    site.write(folder + "/plain/a.txt", "a");
    site.write(folder + "/.hidden", "hidden");
    site.write(folder + "/.git/config", "hidden");
    site.write(folder + "/private.txt", "private");
    ::chmod((site.root() + "/" + folder + "/private.txt").c_str(), 0);
    ::mkfifo((site.root() + "/" + folder + "/pipe").c_str(), 0666);
    site.link(folder + "/outside.txt", "../../secret.txt");
    site.link(folder + "/absolute.txt", "/etc/passwd");
    site.link(folder + "/loop", "loop");
  }
  ServerProcess server(site);
  for (const std::string& place : kPlaces) {
    HttpClient client(server.endpoint());
    for (const std::string name :
         {"missing", "plain/", "plain/missing", "plain/a.txt/b", ".hidden", ".git/config", "sub/%2e%2e/.hidden",
          "pipe", "outside.txt", "absolute.txt", "loop", "a%2fb", "..%2fsecret.txt", "sub\\..\\.hidden"}) {
      INFO(place << name);
      CHECK(client.get(place + name).status == 404);
    }
    for (const std::string target :
         {"../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "sub/../../../etc/passwd"}) {
      CHECK(client.get(place + target).status == 404);
    }
    CHECK(client.get(place + "plain/%00").status == 400);
    CHECK(client.get(place + std::string(3000, 'a')).status == 404);
    if (::access((site.root() + "/static/private.txt").c_str(), R_OK) != 0 || ::geteuid() == 0) {
      CHECK(client.get(place + "private.txt").status == 403);
    }
    CHECK(client.get(place + "sub/").body == "index of sub");
    CHECK(client.get(place + "sub/./../plain//a.txt").body == "a");
    const HttpAnswer moved = client.get(place + "sub?q=1");
    CHECK(moved.status == 301);
    CHECK(moved.field("Location") == place + "sub/?q=1");
    for (const std::string method : {"POST", "DELETE", "PUT"}) {
      client.request(method, place + "plain/a.txt", "Content-Length: 0\r\n");
      const HttpAnswer refused = client.read_answer();
      CHECK(refused.status == 405);
      CHECK_THAT(refused.field("Allow"), Contains("GET") && Contains("HEAD"));
    }
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("mount options choose folder, index, hidden files and inlining", "[e2e][files]") {
  const Site site(kModules);
  site.write("docs/home.html", "home");
  site.write("docs/.well-known/x", "known");
  site.write("docs/large.txt", std::string(50'000, 'x'));
  const std::string elsewhere = site.write_beside("elsewhere/a.txt", "elsewhere");
  const std::string module = GENERATE("static_sendfile", "dynamic_aio");
  ServerProcess server(
      site, {"--mount", "/=" + module + ":root=docs,index=home.html,hidden=on", "--mount",
             "/none/=" + module + ":root=docs,index=", "--mount", "/all/=" + module + ":root=docs,inline_max=0",
             "--mount", "/mem/=" + module + ":root=docs,inline_max=1M", "--mount",
             "/else/=" + module + ":root=" + site.path("elsewhere")});
  HttpClient client(server.endpoint());
  CHECK(client.get("/").body == "home");
  CHECK(client.get("/.well-known/x").body == "known");
  CHECK(client.get("/none/").status == 404);
  CHECK(client.get("/all/home.html").body == "home");
  CHECK(client.get("/mem/large.txt").body == std::string(50'000, 'x'));
  CHECK(client.get("/else/a.txt").body == "elsewhere");
  CHECK(client.get("/else/../docs/home.html").status == 404);
}

TEST_CASE("dynamic_aio processes content on its way", "[e2e][files]") {
  const Site site(kModules);
  site.write("text/a.txt", "one\ttwo\nthree\n");
  std::string large;
  while (large.size() < 1'000'000) large += "lower case line number " + std::to_string(large.size()) + "\n";
  site.write("text/large.txt", large);
  site.write("text/m.html", "<p><!--# path --> <!--# mtime --> <!--# unknown --> <!--# date --></p>");
  site.write("text/empty.txt", "");
  ServerProcess server(site, {"--mount", "/upper/=dynamic_aio:root=text,process=upper", "--mount",
                              "/markers/=dynamic_aio:root=text,process=markers"});
  HttpClient client(server.endpoint());
  const HttpAnswer upper = client.get("/upper/a.txt");
  CHECK(upper.field("Transfer-Encoding") == "chunked");
  CHECK(upper.body == "ONE     TWO\nTHREE\n");
  std::string shouted = large;
  for (char& byte : shouted) byte = byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 32) : byte;
  CHECK((client.get("/upper/large.txt").body == shouted));
  CHECK((client.get("/markers/large.txt").body == large));
  CHECK(client.get("/upper/empty.txt").body.empty());

  const HttpAnswer markers = client.get("/markers/m.html");
  CHECK_THAT(markers.body, StartsWith("<p>/markers/m.html ") && Contains(" <!--# unknown --> ") &&
                               Contains(" GMT") && !Contains("mtime") && !Contains("date"));

  client.request("HEAD", "/upper/a.txt");
  const HttpAnswer head = client.read_answer(true);
  CHECK(head.field("Transfer-Encoding") == "chunked");
  CHECK(head.field("Content-Type") == upper.field("Content-Type"));
  CHECK_FALSE(head.has("Content-Length"));

  HttpClient old(server.endpoint());
  old.send("GET /upper/a.txt HTTP/1.0\r\n\r\n");
  const HttpAnswer closed = old.read_answer();
  CHECK_FALSE(closed.has("Transfer-Encoding"));
  CHECK(closed.body == "ONE     TWO\nTHREE\n");
  CHECK(server.stop() == 0);
}
