// Sites with names of their own, as one file sets them up.
#include <openssl/ssl.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "settings/certificate.h"
#include "support/server_process.h"
#include "support/tls_client.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

// Three sites of one file: a.example with two names and a certificate for each, b.example, and the default one.
struct Served {
  Site site{{"hello", "static_sendfile", "dynamic_aio"}};
  std::vector<std::string> prints;  // fingerprints of the certificates, in this order: a, www.a, b
  std::string config;
  std::string of_sites;  // the file without the mount of the default site
  std::string text;

  explicit Served(const std::string& more_of_b = "") {
    site.write("static/page", "of the default site");
    site.write_beside("a/index.html", "of a");
    site.write_beside("b/index.html", "of b");
    site.write_beside("errors/404.html", "<p>lost at a</p>");
    of_sites =
        "workers = 2\nlisten = [\"http://127.0.0.1:0\", \"https://127.0.0.1:0\"]\ncertificate = "
        "\"self-signed\"\n";
    of_sites += "[[site]]\nnames = [\"a.example\", \"www.a.example\"]\nroot = \"" + site.path("a") +
                "\"\nerror-pages = \"" + site.path("errors") + "\"\nhsts = \"365d subdomains\"\n" +
                certificates({"a.example", "www.a.example"}) + mount("static_sendfile");
    of_sites += "[[site]]\nnames = [\"b.example\", \"*.b.example\"]\nroot = \"" + site.path("b") +
                "\"\nredirect = \"https\"\n" + certificates({"b.example"}) + more_of_b + mount("dynamic_aio");
    text = "mount = \"/static/=static_sendfile\"\n" + of_sites;
    config = site.write_beside("sluice.toml", text);
  }

  static std::string mount(const std::string& module) {
    return "[[site.mount]]\nat = \"/\"\nmodule = \"" + module + "\"\nroot = \".\"\n";
  }
  // Makes a certificate for each name.
  std::string certificates(const std::vector<std::string>& names) {
    std::string chains;
    std::string keys;
    for (const std::string& name : names) {
      const auto made = sluice::make_self_signed({name});
      REQUIRE(made.has_value());
      prints.push_back(sluice::fingerprint_of(made->chain));
      chains += "\"" + site.write_beside(name + ".pem", made->chain) + "\",";
      keys += "\"" + site.write_beside(name + ".key", made->key->view()) + "\",";
    }
    return "certificate = [" + chains + "]\nkey = [" + keys + "]\n";
  }
};

std::uint16_t port_in(const ServerProcess& server, const std::string& url) {
  const std::string text = server.out() + server.log();
  const std::size_t place = text.find(url);
  REQUIRE(place != std::string::npos);
  return static_cast<std::uint16_t>(std::stoi(text.substr(place + url.size())));
}

HttpAnswer ask(const Endpoint& endpoint, const std::string& host, const std::string& target) {
  HttpClient client(endpoint);
  client.send("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  return client.read_answer();
}

struct Running : Served {
  ServerProcess server{site, {"--config", config}, {{"SLUICE_LISTEN", ""}}};
  Endpoint http{port_in(server, "http://127.0.0.1:"), ""};
  Endpoint https{port_in(server, "https://127.0.0.1:"), ""};

  using Served::Served;

  HttpAnswer get(const std::string& host, const std::string& target = "/") const {
    return ask(http, host, target);
  }
  std::string get_secure(const std::string& name, const std::string& host) const {
    TlsClient client(https, {name});
    client.send("GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    return client.read_all();
  }
  std::string print_for(const std::string& name) const { return TlsClient(https, {name}).fingerprint(); }
};

}  // namespace

TEST_CASE("the name in a request chooses the site", "[e2e][sites]") {
  const Running running;
  CHECK(running.get("a.example").body == "of a");
  CHECK(running.get("WWW.A.Example.:8080").body == "of a");
  CHECK(running.get("other.example", "/static/page").body == "of the default site");
  CHECK(running.get("x.a.example", "/static/page").body == "of the default site");
  CHECK(running.get("a.example", "/static/page").status == 404);
  const HttpAnswer lost = running.get("a.example", "/missing");
  CHECK(lost.status == 404);
  CHECK(lost.body == "<p>lost at a</p>");
  CHECK_THAT(running.get("other.example", "/missing").body, Contains("<h1>404 Not Found</h1>"));
  CHECK(running.get("other.example", "http://A.example/").body == "of a");
}

TEST_CASE("a changed error page is sent soon, without a reload by hand", "[e2e][sites]") {
  Running running;
  REQUIRE(running.get("a.example", "/missing").body == "<p>lost at a</p>");
  running.site.write_beside("errors/404.html", "<p>found nowhere</p>");
  CHECK(eventually([&] { return running.get("a.example", "/missing").body == "<p>found nowhere</p>"; }));
}

TEST_CASE("a site sends clear text to https, but not who looks for a challenge", "[e2e][sites]") {
  const Running running;
  const HttpAnswer sent = running.get("x.b.example:1", "/a//b%20?c=d");
  CHECK(sent.status == 308);
  CHECK(sent.field("Location") == "https://x.b.example/a//b%20?c=d");
  CHECK(running.get("b.example", "/.well-known/acme-challenge/x").status == 404);
  CHECK_THAT(running.get_secure("b.example", "b.example"), EndsWith("of b"));
}

TEST_CASE("each name gets its certificate", "[e2e][sites]") {
  const Running running;
  CHECK(running.print_for("a.example") == running.prints[0]);
  CHECK(running.print_for("www.a.example") == running.prints[1]);
  CHECK(running.print_for("b.example") == running.prints[2]);
  CHECK(running.print_for("x.b.example") == running.prints[2]);
  const std::string unnamed = running.print_for("");
  CHECK(unnamed == running.print_for("other.example"));
  CHECK(std::find(running.prints.begin(), running.prints.end(), unnamed) == running.prints.end());
}

TEST_CASE("a connection serves the names of its certificate alone", "[e2e][sites]") {
  const Running running;
  const std::string answer = running.get_secure("a.example", "a.example");
  CHECK_THAT(answer, EndsWith("of a"));
  CHECK_THAT(answer, Contains("\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\n"));
  CHECK(running.get("a.example").field("Strict-Transport-Security").empty());
  CHECK_THAT(running.get_secure("b.example", "x.b.example"), EndsWith("of b"));
  for (const std::string other : {"www.a.example", "b.example", "other.example", ""}) {
    INFO(other);
    CHECK_THAT(running.get_secure("a.example", other), StartsWith("HTTP/1.1 421 "));
  }
}

TEST_CASE("without a default site, a name that nobody has is refused", "[e2e][sites]") {
  Served served;
  const std::string config = served.site.write_beside(
      "sluice.toml", "plugins = \"" + served.site.plugins() + "\"\ncontrol = \"off\"\n" + served.of_sites);
  Process server({sluice_binary(), "serve", "--config", config, "--user", "root"});
  REQUIRE(eventually([&] { return server.out().find("stop with Ctrl-C") != std::string::npos; }));
  const std::string out = server.out();
  const auto port = [&](const std::string& url) {
    const std::size_t place = out.find(url);
    REQUIRE(place != std::string::npos);
    return static_cast<std::uint16_t>(std::stoi(out.substr(place + url.size())));
  };
  const Endpoint http{port("http://a.example:"), ""};
  CHECK(ask(http, "other.example", "/").status == 421);
  CHECK(ask(http, "a.example", "/").body == "of a");
  const Endpoint https{port("https://a.example:"), ""};
  CHECK_THROWS(TlsClient(https, {"other.example"}));
  CHECK(eventually([&] {
    return server.err().find(" for 'other.example' has failed: nobody here has the name") != std::string::npos;
  }));
  CHECK(TlsClient(https, {""}).fingerprint() == served.prints[0]);
  server.signal(SIGTERM);
  CHECK(server.wait() == 0);
}

TEST_CASE("a session is resumed under its own site alone", "[e2e][sites]") {
  const Running running;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  TlsClient first(running.https, {"b.example", version});
  first.get("/");
  const auto session = first.session();
  REQUIRE(session != nullptr);
  CHECK(TlsClient(running.https, {"b.example", version, session.get()}).was_resumed());
  TlsClient other(running.https, {"a.example", version, session.get()});
  CHECK_FALSE(other.was_resumed());
  CHECK(other.fingerprint() == running.prints[0]);
}

TEST_CASE("a site may ask clients for certificates", "[e2e][sites]") {
  ScratchFolder folder;
  for (const std::string name : {"client", "other"}) {
    REQUIRE(
        run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder.path(name + ".key"),
             "-out", folder.path(name + ".pem"), "-days", "2", "-subj", "/CN=" + name})
            .code == 0);
  }
  const bool required = GENERATE(true, false);
  const Running running("client-certificates = \"" + std::string(required ? "required" : "asked") +
                        "\"\nclient-ca = \"" + folder.path("client.pem") + "\"\n");
  const auto ask = [&](const std::vector<std::string>& more) {
    const std::string at = ":" + std::to_string(running.https.port);
    std::vector<std::string> command{"curl",
                                     "-sk",
                                     "--noproxy",
                                     "*",
                                     "--resolve",
                                     "b.example" + at + ":127.0.0.1",
                                     "https://b.example" + at + "/"};
    command.insert(command.end(), more.begin(), more.end());
    return run(command).out;
  };
  CHECK(ask({"--cert", folder.path("client.pem"), "--key", folder.path("client.key")}) == "of b");
  CHECK(ask({"--cert", folder.path("other.pem"), "--key", folder.path("other.key")}).empty());
  CHECK(ask({}) == (required ? "" : "of b"));
  // The other sites ask nobody, and their connections do not reach this one.
  CHECK_THAT(running.get_secure("a.example", "a.example"), EndsWith("of a"));
  CHECK_THAT(running.get_secure("a.example", "b.example"), StartsWith("HTTP/1.1 421 "));

  // Whose clients are let in from now on is taken without a reload by hand.
  std::filesystem::copy_file(folder.path("other.pem"), folder.path("client.pem"),
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(eventually([&] {
    return ask({"--cert", folder.path("other.pem"), "--key", folder.path("other.key")}) == "of b";
  }));
}

TEST_CASE("metrics and status tell sites apart", "[e2e][sites]") {
  const Running running;
  CHECK(running.get("a.example").status == 200);
  CHECK(running.get("a.example", "/none/").status == 404);
  CHECK(running.get("b.example", "/.well-known/acme-challenge/x").status == 404);
  const auto ask_for = [&](const std::string& command) {
    return run({sluice_binary(), command}, {{"RUNTIME_DIRECTORY", running.site.path("run")}}).out;
  };
  CHECK_THAT(ask_for("metrics"),
             Contains("sluice_site_answers_total{site=\"a.example\",class=\"2xx\"} 1\n") &&
                 Contains("sluice_site_answers_total{site=\"a.example\",class=\"4xx\"} 1\n") &&
                 Contains("sluice_site_answers_total{site=\"b.example\",class=\"4xx\"} 1\n"));
  const std::string status = ask_for("status");
  CHECK_THAT(status.substr(status.find("CERTIFICATE")), Contains("\na.example") && Contains("\nb.example"));
}

TEST_CASE("a reload adds a site, and takes it away again", "[e2e][sites]") {
  Running running;
  running.site.write_beside("sluice.toml",
                            running.text + "[[site]]\nnames = \"c.example\"\n" + Served::mount("hello"));
  REQUIRE(running.server.reload());
  // The workers of before may still take a connection.
  CHECK(eventually([&] { return running.get("c.example").body.find("Hello") != std::string::npos; }));
  CHECK_THAT(run({sluice_binary(), "status"}, {{"RUNTIME_DIRECTORY", running.site.path("run")}}).out,
             Contains("c.example"));
  running.site.write_beside("sluice.toml", running.text);
  REQUIRE(running.server.reload());
  CHECK(eventually([&] { return running.get("c.example").status == 404; }));
  CHECK(running.server.stop() == 0);
}

TEST_CASE("the dry run shows the sites, or all mistakes at once", "[e2e][sites]") {
  Served served;
  const auto check = [&] { return run(served.site.command({"--config", served.config, "--check"}), {}); };
  const Outcome fine = check();
  CHECK(fine.code == 0);
  CHECK_THAT(fine.out,
             Contains("site a.example at 127.0.0.1:0 https://127.0.0.1:0, for a.example www.a.example\n"
                      "  /  by static_sendfile\n"));
  served.site.write_beside("sluice.toml", served.text +
                                              "[[site]]\nnames = \"a.example\"\nroot = \"/no/such\"\n" +
                                              Served::mount("hello") +
                                              "[[site]]\nnames = \"d.example\"\nerror-pages = \"/no/pages\"\n" +
                                              Served::mount("hello") + "[[site]]\nnames = \"e.example\"\n");
  const Outcome wrong = check();
  CHECK(wrong.code == 1);
  CHECK_THAT(wrong.err, Contains("the site a.example: its root /no/such does not exist"));
  CHECK_THAT(wrong.err, Contains("the folder of error pages /no/pages does not exist"));
  CHECK_THAT(wrong.err, Contains("the site e.example has no mount"));
}
