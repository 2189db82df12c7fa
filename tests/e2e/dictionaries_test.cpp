// Compression dictionaries in the running server (RFC 9842): over TLS, a browser that has kept a version of a
// file gets what has changed.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "support/certified_site.h"
#include "support/dcz.h"
#include "support/server_process.h"
#include "support/tls_client.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

// Hardly any two lines are alike.
std::string script_of(const std::string& version) {
  std::mt19937 random(1);
  std::string script = "let version = '" + version + "';\n";
  while (script.size() < 200'000)
    script += "let v" + std::to_string(random()) + " = " + std::to_string(random()) + ";\n";
  return script + "// the end of " + version + "\n";
}

struct Answered {
  std::string head;
  std::string body;

  std::string field(const std::string& name) const {
    const std::size_t line = head.find("\r\n" + name + ": ");
    if (line == std::string::npos) return "";
    const std::size_t begin = line + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

Answered ask(const Endpoint& endpoint, const std::string& target, const std::string& fields,
             const std::string& method = "GET") {
  TlsClient client(endpoint);
  client.send(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields +
              "\r\n");
  const std::string all = client.read_all();
  const std::size_t end = all.find("\r\n\r\n");
  REQUIRE(end != std::string::npos);
  return {all.substr(0, end + 2), all.substr(end + 4)};
}

const std::string kBrowser = "Accept-Encoding: gzip, deflate, br, zstd\r\n";
std::string with_dictionary(const std::string& content) {
  return "Accept-Encoding: gzip, deflate, br, zstd, dcb, dcz\r\nAvailable-Dictionary: " +
         dictionary_name(content) + "\r\n";
}

}  // namespace

TEST_CASE("over TLS, who has kept a version of a file gets what has changed", "[e2e][compress][tls]") {
  const Site site({"compress", "static_sendfile"});
  const std::vector<std::string> files = write_certificate(site, "one");
  const std::string first = script_of("1");
  const std::string second = script_of("two");
  site.write("app.js", first);
  ServerProcess server(
      site, {"--workers", "1", "--listen", "127.0.0.1:0", "--listen", "https://127.0.0.1:0", "--certificate",
             files[0], "--key", files[1], "--filter", "/=compress:variants_max=8M", "--mount",
             "/=static_sendfile:cache_control=max-age=60"});
  const Endpoint https = https_endpoint(server);
  CHECK(eventually([&] {  // once the file has a strong tag, and a thread has coded it
    return !ask(https, "/app.js", kBrowser).field("Content-Length").empty();
  }));
  const Answered before = ask(https, "/app.js", kBrowser);
  CHECK(before.field("Use-As-Dictionary") == "match=\"/app.js\"");
  CHECK(before.field("Vary") == "Accept-Encoding, Available-Dictionary");
  site.write("app.js", second);
  Answered delta;
  CHECK(eventually([&] {
    delta = ask(https, "/app.js?v=2", with_dictionary(first));
    return delta.field("Content-Encoding") == "dcz";
  }));
  CHECK_THAT(delta.head, StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK((decode_dcz(first, delta.body) == second));
  CHECK(delta.body.size() < 500);
  CHECK(delta.field("Content-Length") == std::to_string(delta.body.size()));
  CHECK(delta.field("Content-Type").starts_with("text/javascript"));
  CHECK(delta.field("Use-As-Dictionary") == "match=\"/app.js\"");
  CHECK(delta.field("Vary") == "Accept-Encoding, Available-Dictionary");
  const std::string tag = delta.field("ETag");
  CHECK_THAT(tag, Contains("-dcz-"));
  const Answered head = ask(https, "/app.js?v=2", with_dictionary(first), "HEAD");
  CHECK(head.field("Content-Length") == delta.field("Content-Length"));
  CHECK(head.field("ETag") == tag);
  CHECK_THAT(ask(https, "/app.js?v=2", with_dictionary(first) + "If-None-Match: " + tag + "\r\n").head,
             StartsWith("HTTP/1.1 304 "));
  const std::string range = "Range: bytes=5-8\r\n";
  const Answered part = ask(https, "/app.js", with_dictionary(first) + range);
  CHECK_THAT(part.head, StartsWith("HTTP/1.1 206 "));
  CHECK(part.body == second.substr(5, 4));
  // Others get what they got before.
  CHECK(ask(https, "/app.js", with_dictionary("unknown")).field("Content-Encoding") == "zstd");
  CHECK(ask(https, "/app.js", kBrowser).field("Content-Encoding") == "zstd");
  CHECK((ask(https, "/app.js", "").body == second));
  HttpClient clear(server.endpoint());
  clear.send("GET /app.js HTTP/1.1\r\nHost: example.org\r\n" + with_dictionary(first) + "\r\n");
  const HttpAnswer in_clear = clear.read_answer();
  CHECK(in_clear.field("Content-Encoding") == "zstd");
  CHECK_FALSE(in_clear.has("Use-As-Dictionary"));
  CHECK(in_clear.field("Vary") == "Accept-Encoding");
  CHECK(server.stop() == 0);
}
