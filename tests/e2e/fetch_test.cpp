// kit/fetch.h over real sockets: a handler asks another server, which answers, fails, or takes too long.
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

// The other server's listening socket, with a queue of connections that the test accepts.
class Other {
 public:
  Other() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    auto* const generic = reinterpret_cast<sockaddr*>(&address_);
    if (::bind(fd_, generic, size) != 0 || ::listen(fd_, 16) != 0 || ::getsockname(fd_, generic, &size) != 0)
      throw std::runtime_error("there is no socket");
  }
  ~Other() { ::close(fd_); }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(ntohs(address_.sin_port)); }
  int accept() const {
    pollfd wanted{fd_, POLLIN, 0};
    if (::poll(&wanted, 1, kWaitMs) != 1) throw std::runtime_error("nobody connects");
    return ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  }

 private:
  int fd_;
  sockaddr_in address_{};
};

// Reads until the text has come; what has come if the connection ended before.
std::string read_until(int fd, const std::string& text) {
  std::string bytes;
  char piece[4096];
  while (bytes.find(text) == std::string::npos) {
    pollfd wanted{fd, POLLIN, 0};
    if (::poll(&wanted, 1, kWaitMs) != 1) throw std::runtime_error("nothing comes");
    const ssize_t got = ::recv(fd, piece, sizeof(piece), 0);
    if (got <= 0) return bytes + "<the end>";
    bytes.append(piece, static_cast<std::size_t>(got));
  }
  return bytes;
}

void write(int fd, const std::string& bytes) {
  REQUIRE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

std::vector<std::string> asking(const std::string& url, const std::string& more = "") {
  return {"--workers", "1", "--mount", "/f/=kit_fetch:base=" + url + more, "--grant", "kit_fetch=network"};
}

}  // namespace

TEST_CASE("a handler asks another server, and its connection is used again", "[e2e][fetch]") {
  const Site behind_site({"echo", "static_sendfile"});
  behind_site.write("a b.json", "{}");
  behind_site.write("large.bin", std::string(100'001, 'x'));
  behind_site.write("edge.bin", std::string(99'000, 'x'));  // heads count, too
  ServerProcess behind(behind_site,
                       {"--workers", "1", "--mount", "/=static_sendfile", "--mount", "/echo/=echo"});
  const Site site({"kit_fetch"});
  std::string url = behind.url("/");
  url.pop_back();
  ServerProcess server(site, asking(url));
  HttpClient client(server.endpoint());
  const HttpAnswer file = client.get("/f/a%20b.json");
  CHECK(file.status == 200);
  CHECK(file.body == "{}");
  CHECK(file.field("X-Type") == "application/json");
  CHECK(client.get("/f/missing").status == 404);
  CHECK(client.get("/f/edge.bin").body.size() == 99'000);
  const HttpAnswer large = client.get("/f/large.bin");
  CHECK(large.status == 502);
  CHECK_THAT(large.body, Contains("The other server's answer is too long"));
  client.send("POST /f/echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + std::string(5000, 'y'));
  CHECK(client.read_answer().body == std::string(5000, 'y'));
  client.request("DELETE", "/f/a%20b.json");
  CHECK(client.read_answer().status == 405);
  CHECK(server.stop() == 0);
  CHECK(behind.stop() == 0);
}

TEST_CASE("a redirect is followed as often as it may be", "[e2e][fetch]") {
  const Other other;
  const Site site({"kit_fetch"});
  const std::string more = GENERATE("", ",redirects=1");
  ServerProcess server(site, asking(other.url(), more));
  HttpClient client(server.endpoint());
  client.request("GET", "/f/first");
  const int peer = other.accept();
  const std::string asked = read_until(peer, "\r\n\r\n");
  CHECK_THAT(asked,
             Contains("GET /first HTTP/1.1\r\n") && Contains("X-Asked: yes\r\n") && Contains("X-Empty:"));
  CHECK_THAT(asked, !Contains("Expect"));
  write(peer, "HTTP/1.1 302 Found\r\nLocation: /second\r\nX: 1\r\nContent-Length: 3\r\n\r\nold");
  if (more.empty()) {
    const HttpAnswer answer = client.read_answer();
    CHECK(answer.status == 302);
    CHECK(answer.field("X-Location") == "/second");
  } else {
    CHECK_THAT(read_until(peer, "\r\n\r\n"), Contains("GET /second HTTP/1.1"));
    write(peer, "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\nnew");
    const HttpAnswer answer = client.read_answer();
    CHECK(answer.body == "new");
    CHECK(answer.field("X-Type") == "a/b");
    CHECK(answer.field("X-Location").empty());
  }
  ::close(peer);
  CHECK(server.stop() == 0);
}

TEST_CASE("a redirect of POST becomes GET where HTTP says so, and keeps fields within its origin",
          "[e2e][fetch]") {
  const Other other;
  const Other second;
  const Site site({"kit_fetch"});
  ServerProcess server(site, asking(other.url(), ",redirects=1,time=1m"));
  HttpClient client(server.endpoint());
  const int status = GENERATE(301, 303, 307);
  const bool is_elsewhere = GENERATE(false, true);
  client.send("POST /f/first HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  const int peer = other.accept();
  CHECK_THAT(read_until(peer, "\r\n\r\nabc"), Contains("POST /first ") && Contains("Content-Length: 3\r\n"));
  write(peer, "HTTP/1.1 " + std::to_string(status) + " X\r\nLocation: " + (is_elsewhere ? second.url() : "") +
                  "/next\r\nContent-Length: 0\r\n\r\n");
  const int next = is_elsewhere ? second.accept() : peer;
  const std::string asked = read_until(next, status == 307 ? "\r\n\r\nabc" : "\r\n\r\n");
  CHECK_THAT(asked, Contains(status == 307 ? "POST /next " : "GET /next "));
  CHECK((asked.find("X-Asked: yes") == std::string::npos) == is_elsewhere);
  CHECK((asked.find("Content-") == std::string::npos) == (status != 307));
  write(next, "HTTP/1.1 204 X\r\n\r\n");
  CHECK(client.read_answer().status == 204);
  if (is_elsewhere) ::close(next);
  ::close(peer);
  CHECK(server.stop() == 0);
}

TEST_CASE("a host's name is resolved, and POST without content says so", "[e2e][fetch]") {
  addrinfo* known = nullptr;
  if (::getaddrinfo("localhost", nullptr, nullptr, &known) != 0) {
    WARN("SKIPPED: this machine has no /etc/hosts, and no name server that knows localhost");
    return;
  }
  ::freeaddrinfo(known);
  const Other other;
  const Site site({"kit_fetch"});
  const std::string url = other.url();
  ServerProcess server(site, asking("http://localhost" + url.substr(url.rfind(':')), ",time=1m"));
  HttpClient client(server.endpoint());
  client.send("POST /f/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  const int peer = other.accept();
  CHECK_THAT(read_until(peer, "\r\n\r\n"),
             Contains("Host: localhost:") && Contains("Content-Length: 0\r\n") && !Contains("Content-Type"));
  // What the head has counts, too.
  write(peer, "HTTP/1.1 200 X\r\nX: " + std::string(60'000, 'x') + "\r\nY: " + std::string(60'000, 'x') +
                  "\r\nContent-Length: 0\r\n\r\n");
  const HttpAnswer answer = client.read_answer();
  CHECK(answer.status == 502);
  CHECK_THAT(answer.body, Contains("The other server's answer is too long"));
  ::close(peer);
  CHECK(server.stop() == 0);
}

TEST_CASE("a server that refuses, breaks off or is silent is told as 502 or 504", "[e2e][fetch]") {
  auto other = std::make_unique<Other>();
  const Site site({"kit_fetch"});
  ServerProcess server(site, asking(other->url()));
  HttpClient client(server.endpoint());
  client.request("GET", "/f/silent");
  const int silent = other->accept();
  CHECK(client.read_answer().status == 504);
  ::close(silent);

  client.request("GET", "/f/broken");
  const int broken = other->accept();
  read_until(broken, "\r\n\r\n");
  write(broken, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  ::close(broken);
  CHECK(client.read_answer().status == 502);

  client.request("GET", "/f/no-http");
  const int odd = other->accept();
  read_until(odd, "\r\n\r\n");
  write(odd, "220 ready\r\n");
  CHECK(client.read_answer().status == 502);
  ::close(odd);

  other.reset();
  CHECK(client.get("/f/refused").status == 502);
  CHECK(server.stop() == 0);
}

TEST_CASE("what is fetched for a client that leaves is cancelled", "[e2e][fetch]") {
  const Other other;
  const Site site({"kit_fetch"});
  ServerProcess server(site, asking(other.url(), ",time=1h"));
  {
    HttpClient client(server.endpoint());
    client.request("GET", "/f/long");
    const int peer = other.accept();
    CHECK_THAT(read_until(peer, "\r\n\r\n"), Contains("GET /long "));
    client.close_with_reset();
    CHECK(read_until(peer, "more") == "<the end>");
    ::close(peer);
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("a name server that does not answer holds no worker up", "[e2e][fetch]") {
  if (::geteuid() != 0) {
    WARN("SKIPPED: only root can give the server another name server");
    return;
  }
  const int silent = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(53);
  REQUIRE(::inet_pton(AF_INET, "127.0.0.113", &address.sin_addr) == 1);
  REQUIRE(::bind(silent, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  const Site site({"kit_fetch"});
  const std::string servers = site.write_beside("resolv.conf", "nameserver 127.0.0.113\n");
  const std::string order = site.write_beside("nsswitch.conf", "hosts: dns\n");
  std::vector<std::string> options = asking("http://name.example");
  options.insert(options.end(), {"--hang-limit", "3s"});
  ServerProcess server(site, options, {}, [&] {
    const bool is_set = ::unshare(CLONE_NEWNS) == 0 &&
                        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                        ::mount(servers.c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) == 0 &&
                        ::mount(order.c_str(), "/etc/nsswitch.conf", nullptr, MS_BIND, nullptr) == 0;
    if (!is_set) ::_exit(1);
  });
  CHECK(fetch(server.endpoint(), "/f/x").status == 504);
  CHECK(server.count_in_log("was ended") == 0);
  ::close(silent);
}
