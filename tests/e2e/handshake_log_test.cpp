// The access log of connections by TLS: handshakes that fail, and what JSON tells of those that do not.
#include <openssl/ssl.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "support/certified_site.h"
#include "support/server_process.h"
#include "support/tls_client.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Three sites with logs of their own: at one address "first" and "second" without a default site, at another
// "third".
struct Served {
  Site site{{"hello"}};
  std::vector<std::string> certificate = write_certificate(site, "one");
  ServerProcess server{site, {"--config", config()}};
  Endpoint https = endpoint();

  std::string config() const {
    const std::string tls = "listen = \"https://127.0.0.1:0\"\ncertificate = \"" + certificate[0] +
                            "\"\nkey = \"" + certificate[1] + "\"\n";
    const auto add = [&](const std::string& name, const std::string& more) {
      return "[[site]]\nnames = \"" + name + ".example\"\naccess-log = \"" + site.path(name) + "\"\n" + more +
             "[[site.mount]]\nat = \"/\"\nmodule = \"hello\"\n";
    };
    return site.write_beside(
        "sluice.toml", "workers = 1\n" + add("other", "listen = \"http://127.0.0.2:0\"\n") + add("first", tls) +
                           add("second", tls + "access-log-format = \"json\"\n"));
  }
  Endpoint endpoint() const {
    const std::string shown = server.out(), before = "https://first.example:";
    const std::size_t at = shown.find(before);
    REQUIRE(at != std::string::npos);
    return {static_cast<std::uint16_t>(std::stoi(shown.substr(at + before.size()))), ""};
  }
  std::string log(const std::string& name) const { return content_of(site.path(name)); }
  bool comes_to_say(const std::string& name, const std::string& text) const {
    return eventually([&] { return log(name).find(text) != std::string::npos; });
  }
  void get(const std::string& name) const {
    TlsClient client(https, {name, TLS1_3_VERSION});
    client.send("GET / HTTP/1.1\r\nHost: " + name + "\r\nConnection: close\r\n\r\n");
    client.read_all();
  }
  void fail(const TlsOptions& options) const { CHECK_THROWS(TlsClient(https, options)); }
};

const char* const kFailed = "] \"-\" 400 0 \"-\" \"-\"\n";

}  // namespace

TEST_CASE("a handshake that fails is in the log of the site whose name was asked for",
          "[e2e][access_log][tls]") {
  const Served served;
  SECTION("which speaks no such protocol") {
    TlsOptions options{"second.example"};
    options.protocols = "\x04none";
    served.fail(options);
    CHECK(served.comes_to_say("second", R"("status":400,)"));
    CHECK_THAT(served.log("second"), Contains(R"("remote_ip":"127.0.0.1")") &&
                                         Contains(R"("proto":"","method":"")") &&
                                         Contains(R"("ending":"failed_handshake","why":")") &&
                                         Contains(R"("site":"second.example")"));
    CHECK(served.log("first").empty());
  }
  SECTION("or of the first site of the address, if nobody has the name") {
    served.fail({"nobody.example"});
    CHECK(served.comes_to_say("first", kFailed));
    CHECK(served.log("second").empty());
  }
  SECTION("or if there was none yet") {
    HttpClient client(served.https);
    client.send(std::string("\x16\x03\x01\0\x05hello", 10));
    client.read_to_end();
    CHECK(served.comes_to_say("first", kFailed));
    CHECK(served.log("second").empty());
  }
  SECTION("and so is a request in clear text") {
    HttpClient client(served.https);
    client.send("GET /clear HTTP/1.1\r\nHost: second.example\r\nUser-Agent: me\r\n\r\n");
    CHECK(client.read_answer().status == 400);
    CHECK(served.comes_to_say("second", R"("uri":"/clear","headers":{"User-Agent":["me"]}})"));
  }
  SECTION("or as much of one as came") {
    HttpClient client(served.https);
    client.send("GET /clear HTTP/1.1\r\nUser-Agent: me\r\n");
    CHECK(client.read_answer().status == 400);
    CHECK(served.comes_to_say("first", "] \"GET /clear HTTP/1.1\" 400 "));
  }
  CHECK(served.log("other").empty());
}

TEST_CASE("a client that leaves in the middle of a handshake has a line", "[e2e][access_log][tls]") {
  const Served served;
  HttpClient client(served.https);
  client.send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  SECTION("by its end") {
    client.finish_sending();
    client.read_to_end();
  }
  SECTION("by a reset") {
    // A server that has answered others meanwhile has read this.
    for (int i = 0; i < 2; ++i) served.get("second.example");
    client.close_with_reset();
  }
  CHECK(served.comes_to_say("first", "] \"-\" 499 0 \"-\" \"-\"\n"));
}

TEST_CASE("a look at the port has no line", "[e2e][access_log][tls]") {
  const Served served;
  {
    HttpClient client(served.https);
    client.finish_sending();
    client.read_to_end();
  }
  served.get("first.example");
  CHECK(served.comes_to_say("first", "\"GET / HTTP/1.1\" 200 "));
  CHECK(served.log("first").find("\"-\" 4") == std::string::npos);
}

TEST_CASE("a line of JSON tells of TLS, module and connection", "[e2e][access_log][tls]") {
  const Served served;
  served.get("second.example");
  CHECK(served.comes_to_say("second", "\"status\":200,"));
  CHECK_THAT(
      served.log("second"),
      Contains(R"("tls":{"resumed":false,"version":772,"cipher_suite":486)") &&
          Contains(R"("proto":"http/1.1","server_name":"second.example"}},"bytes_read":0,)") &&
          Contains(R"("site":"second.example","module":"hello","mount":"/","generation":1,"connection":1,)") &&
          Contains(R"("resp_headers":{"Content-Type":["text/)") && Contains(R"("ending":"complete")") &&
          Contains(R"("secure":true)"));
}
