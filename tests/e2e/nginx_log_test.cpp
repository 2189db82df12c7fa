// The access log beside that of nginx, for the same bytes of clients.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/http2_wire.h"
#include "support/server_process.h"

using namespace sluice::test;
namespace fs = std::filesystem;

namespace {

enum class Then : std::uint8_t { reads, finishes, resets };

struct Case {
  const char* what;
  std::string bytes;
  bool page = false;  // the answer is a page of the server's own, so its size differs
  Then then = Then::reads;
};

std::string get(const std::string& fields, const std::string& line = "GET /a HTTP/1.1") {
  return line + "\r\nHost: x\r\nConnection: close\r\n" + fields + "\r\n";
}
std::string with_user(const std::string& credentials) {
  return get("Authorization: " + credentials + "\r\n");
}

const std::string kZero(1, '\0');

std::vector<Case> cases() {
  std::vector<Case> all = {
      {"plain", get("")},
      {"empty Referer", get("Referer:\r\n")},
      {"blank Referer", get("Referer:   \r\n")},
      {"empty User-Agent", get("User-Agent:\r\n")},
      {"two Referers", get("Referer: one\r\nReferer: two\r\n")},
      {"an empty and a full Referer", get("Referer:\r\nReferer: two\r\n")},
      {"two User-Agents", get("User-Agent: one\r\nUser-Agent: two\r\n")},
      {"special bytes", get("User-Agent: a\tb\xc3\xa9\xff\x80\"\\'`\r\n")},
      {"special bytes in the target", get("", "GET /a?x=\"y\\ HTTP/1.1")},
      {"an absolute target", get("", "GET http://x/a?b HTTP/1.1")},
      {"an absolute target of another host", get("", "GET http://other.example:81/a?b HTTP/1.1")},
      {"an encoded target", get("", "GET /%61?%22 HTTP/1.1")},
      {"HEAD", get("", "HEAD /a HTTP/1.1")},
      {"HEAD of nothing", get("", "HEAD /none HTTP/1.1")},
      {"a range", get("Range: bytes=1-2\r\n")},
      {"HTTP/1.0", "GET /a HTTP/1.0\r\n\r\n"},
      {"HTTP/1.2", get("", "GET /a HTTP/1.2")},
      {"blank lines before", "\r\n\r\n" + get("")},
      {"nothing there", get("", "GET /none HTTP/1.1"), true},
      {"another version", get("", "GET /a HTTP/3.0"), true},
      {"two spaces in the target", get("", "GET /a b HTTP/1.1"), true},
      {"no Host", "GET /a HTTP/1.1\r\nConnection: close\r\n\r\n", true},
      {"two Hosts", get("User-Agent: me\r\nHost: y\r\n"), true},
      {"no field", get("User-Agent: me\r\nReferer: r\r\nAuthorization: Basic bWU6cHc=\r\nno colon\r\n"), true},
      {"no field, then others", get("no colon\r\nUser-Agent: me\r\n"), true},
      {"a zero in a field", get("User-Agent: a" + kZero + "b\r\n"), true},
      {"a zero in the target", get("", "GET /a" + kZero + "b HTTP/1.1"), true},
      {"a control character in the target", get("", "GET /a\x01" + std::string("b HTTP/1.1")), true},
      {"two lengths", get("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), true},
      {"a long body", get("Content-Length: 99999999999\r\n", "POST /a HTTP/1.1"), true},
      {"a long target", get("", "GET /" + std::string(9000, 'u') + " HTTP/1.1"), true},
      {"TLS", "\x16\x03\x01" + kZero + "\x05hello\r\n\r\n", true},
      {"SSH", "SSH-2.0-OpenSSH_9.2\r\n", true},
      {"no line's end", "\x16\x03\x01\x02\xfc", true, Then::finishes},
      {"no ASCII", "\xe2\x82\xac / HTTP/1.1\r\n\r\n", true},
      {"a method's part", "GE", false, Then::finishes},
      {"a line's part", "GET /a HT", false, Then::finishes},
      {"a head's part", "GET /a HTTP/1.1\r\nHost: x\r\nUser-Agent: me\r\nX", false, Then::finishes},
      {"a line's part and a reset", "GET /a HT", false, Then::resets},
      {"a head's part and a reset", "GET /a HTTP/1.1\r\nHost: x\r\nUser-Agent: me\r\n", false, Then::resets},
      {"nothing at all", "", false, Then::finishes},
  };
  for (const char* credentials : {"Basic bWU6cHc=",
                                  "Basic bWU6cHc",
                                  "Basic bWV4OnB3",
                                  "Basic bWU6c",
                                  "Basic bWU6cHc=%%%",
                                  "Basic bW=U6cHc=",
                                  "Basic bWVwdw==",
                                  "Basic OnB3",
                                  "Basic bWU6",
                                  "Basic Og==",
                                  "Basic ",
                                  "Basic",
                                  "bAsIC bWU6cHc=",
                                  "Basic    bWU6cHc=",
                                  "Basic \tbWU6cHc=",
                                  "Basic\tbWU6cHc=",
                                  "Basic bWU6cHc=  ",
                                  "Basic bWU6 cHc=",
                                  "Basic _--_OnB3",
                                  "Basic /+++OnB3",
                                  "Basic YSJiXGMKAH/pIGQ6cHc=",
                                  "Basic ***",
                                  "Basic =",
                                  "Bearer abc"})
    all.push_back({credentials, with_user(credentials)});
  all.push_back({"a long user", with_user("Basic " + std::string(4000, 'Y') + "OnB3")});
  return all;
}

const std::string kOther = "/meanwhile";

// The lines of a log from there on, but for kOther.
std::string lines_from(const std::string& log, std::size_t before) {
  std::ifstream file(log);
  file.seekg(static_cast<std::streamoff>(before));
  std::string lines, line;
  while (std::getline(file, line)) {
    if (line.find(kOther) == std::string::npos) lines += line + '\n';
  }
  return lines;
}

// Without the time, and of a page without its size.
std::string comparable(std::string line, bool page) {
  const std::size_t time = line.find(" ["), rest = line.find("] ");
  if (rest != std::string::npos) line.erase(time, rest + 1 - time);
  if (!page) return line;
  const std::size_t size = line.find("\" ") + 6;
  return line.erase(size, line.find(' ', size) - size);
}

// What a server has logged of this client.
std::string logged(const Endpoint& endpoint, const std::string& log, const Case& asked) {
  const std::size_t before = fs::file_size(log);
  HttpClient client(endpoint);
  client.send(asked.bytes);
  if (asked.then == Then::finishes) client.finish_sending();
  if (asked.then == Then::resets) {
    // A server that has answered others meanwhile has read this.
    for (int i = 0; i < 2; ++i) fetch(endpoint, kOther);
    client.close_with_reset();
  } else {
    client.read_to_end();
  }
  if (asked.bytes.empty()) return lines_from(log, before);
  CHECK(eventually([&] { return !lines_from(log, before).empty(); }));
  return comparable(lines_from(log, before), asked.page);
}

std::string logged_http2(const Endpoint& endpoint, const std::string& log, const Fields& fields) {
  const std::size_t before = fs::file_size(log);
  HttpClient client(endpoint);
  Http2Wire wire;
  client.send(wire.preface() + wire.headers(1, fields));
  while (!wire.is_done(1)) {
    wire.take(client.read_available());
    client.send(wire.due());
  }
  CHECK(eventually([&] { return !lines_from(log, before).empty(); }));
  return comparable(lines_from(log, before), false);
}

// nginx with a site of its own, in clear text.
class Nginx {
 public:
  explicit Nginx(const Site& site)
      : first_(free_port()),
        second_(free_port()),
        process_({"nginx", "-p", site.path(""), "-e", "stderr", "-c",
                  site.write_beside("nginx.conf", settings(site, first_.port, second_.port))},
                 {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}}) {
    REQUIRE(eventually([&] { return answers(first_) && answers(second_); }));
  }
  Endpoint http1() const { return first_; }
  Endpoint http2() const { return second_; }

 private:
  static bool answers(const Endpoint& endpoint) {
    try {
      HttpClient client(endpoint);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }
  static Endpoint free_port() {
    const Site site({"hello"});
    ServerProcess server(site);
    return server.endpoint();
  }
  static std::string settings(const Site& site, std::uint16_t http1, std::uint16_t http2) {
    const std::string places = "root " + site.root() + "; access_log " + site.path("nginx.log") + " combined; ";
    const auto server = [&](std::uint16_t port, const std::string& more) {
      return "server { listen 127.0.0.1:" + std::to_string(port) + more + "; " + places + "}\n";
    };
    return "daemon off; worker_processes 1; pid " + site.path("nginx.pid") + ";\nevents {}\nhttp {\n" +
           "client_body_temp_path " + site.path("tmp1") + "; proxy_temp_path " + site.path("tmp2") +
           "; fastcgi_temp_path " + site.path("tmp3") + "; uwsgi_temp_path " + site.path("tmp4") +
           "; scgi_temp_path " + site.path("tmp5") + ";\n" + server(http1, "") + server(http2, " http2") +
           "}\n";
  }

  Endpoint first_;
  Endpoint second_;
  Process process_;
};

struct Both {
  Site site{{"static_sendfile"}};
  std::string nginx_log = site.path("nginx.log");
  std::string log = site.path("log");
  Nginx nginx;
  ServerProcess server;

  Both()
      : nginx((site.write("a", "here"), site)),
        server(site, {"--workers", "1", "--access-log", log, "--protocols", "http/1.1,h2c", "--mount",
                      "/=static_sendfile"}) {
    fetch(server.endpoint(), kOther);
    REQUIRE(eventually([&] { return fs::exists(log) && fs::exists(nginx_log); }));
  }
};

bool has_nginx() {
  if (fs::exists("/usr/sbin/nginx")) return true;
  WARN("SKIPPED: there is no nginx");
  return false;
}

}  // namespace

TEST_CASE("a line of the access log is the one that nginx writes", "[e2e][access_log]") {
  if (!has_nginx()) return;
  Both both;
  for (const Case& asked : cases()) {
    INFO(asked.what);
    CHECK(logged(both.server.endpoint(), both.log, asked) == logged(both.nginx.http1(), both.nginx_log, asked));
  }
}

TEST_CASE("a line of HTTP/2 is the one that nginx writes", "[e2e][access_log]") {
  if (!has_nginx()) return;
  Both both;
  for (const Fields& fields :
       {Http2Wire::request("/a"), Http2Wire::request("/a?x=\"y\\"), Http2Wire::request("/a", "HEAD"),
        Http2Wire::request("/a", "GET", {{"referer", ""}, {"user-agent", ""}}),
        Http2Wire::request("/a", "GET", {{"referer", "r"}, {"user-agent", "\xc3\xa9"}}),
        Http2Wire::request("/a", "GET", {{"authorization", "Basic bWU6cHc"}})}) {
    INFO(fields[1].second);
    CHECK(logged_http2(both.server.endpoint(), both.log, fields) ==
          logged_http2(both.nginx.http2(), both.nginx_log, fields));
  }
}
