// Crowds of clients that are slow, and floods of frames: others are served meanwhile, and the memory of the
// worker stays within what SECURITY.md says of a connection. They take long, so they run under ./test --full.
#include <nghttp2/nghttp2.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <functional>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "support/certified_site.h"
#include "support/http2_wire.h"
#include "support/installed.h"
#include "support/server_process.h"
#include "support/tls_client.h"

using namespace sluice::test;

namespace {

constexpr long kHttp1KibMax = 80;    // of a connection at work
constexpr long kOthersKib = 32'768;  // of caches, pools, and what all connections share

// What the process alone keeps in memory.
long private_kib(pid_t process) {
  std::ifstream rollup("/proc/" + std::to_string(process) + "/smaps_rollup");
  for (std::string word; rollup >> word;) {
    long kib = 0;
    if (word == "Private_Dirty:" && rollup >> kib) return kib;
  }
  throw std::runtime_error("the memory of a process cannot be read");
}

// Whether its memory is not only its own, but also a sanitizer's.
bool is_sanitized(pid_t process) {
  constexpr long kPagesOfShadow = 1L << 30;
  long pages = 0;
  std::ifstream("/proc/" + std::to_string(process) + "/statm") >> pages;
  return pages > kPagesOfShadow;
}

// A crowd of clients of one worker, while another client asks.
struct Crowd {
  ServerProcess& server;
  std::list<HttpClient> clients{};
  long before_kib = private_kib(server.workers().front());

  void connect(std::size_t count, const std::string& begin) {
    REQUIRE(allow_descriptors(count + 100));
    for (std::size_t i = 0; i < count; ++i) {
      clients.emplace_back(server.endpoint(), kClientTimeoutMs, 4096);
      clients.back().send(begin);
    }
  }
  void others_are_served() const {
    for (int i = 0; i < 20; ++i) CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  }
  void memory_is_bounded() const {
    if (is_sanitized(server.workers().front())) return;
    const auto count = static_cast<long>(clients.size());
    const long grown = private_kib(server.workers().front()) - before_kib;
    CAPTURE(grown, count);
    CHECK(grown <= count * kHttp1KibMax + kOthersKib);
  }
};

}  // namespace

TEST_CASE("2,000 clients that send their heads byte by byte", "[e2e][attacks][.full]") {
  const Site site({"hello"});
  ServerProcess server(site, {"--workers", "1", "--head-timeout", "5s"});
  Crowd crowd{server};
  crowd.connect(2000, "GET / HTTP/1.1\r\nX: ");
  for (int round = 0; round < 3; ++round) {
    for (HttpClient& client : crowd.clients) static_cast<void>(client.try_send("x"));
    crowd.others_are_served();
  }
  crowd.memory_is_bounded();
  for (HttpClient& client : crowd.clients) client.read_to_end();
  CHECK(server.stop() == 0);
}

TEST_CASE("500 clients that read slowly", "[e2e][attacks][.full]") {
  const Site site({"hello", "static_sendfile", "dynamic_aio"});
  site.write("static/large.txt", std::string(16 * 1024 * 1024, 'x'));
  site.write("live/large.txt", std::string(16 * 1024 * 1024, 'x'));
  for (int i = 0; i < 3000; ++i) site.write("static/many/" + std::string(200, 'n') + std::to_string(i), "");
  const std::string target = GENERATE("/static/large.txt", "/static/many/", "/live/large.txt");
  CAPTURE(target);
  ServerProcess server(
      site, {"--workers", "1", "--send-timeout", "3s", "--send-rate-min", "100k", "--keepalive-timeout", "3s",
             "--mount", "/hello/=hello", "--mount", "/static/=static_sendfile:listing=on", "--mount",
             "/live/=dynamic_aio:process=markers"});
  Crowd crowd{server};
  crowd.connect(500, "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int round = 0; round < 3; ++round) {
    for (HttpClient& client : crowd.clients) client.read_some(100);
    crowd.others_are_served();
  }
  crowd.memory_is_bounded();
  // All of them are cut, or have their answer in the kernel's buffers.
  CHECK(eventually([&] {
    std::erase_if(crowd.clients, [](HttpClient& client) { return client.read_some(100).size() < 100; });
    return run({sluice_binary(), "metrics"}, {{"RUNTIME_DIRECTORY", site.path("run")}})
               .out.find("sluice_connections_open{worker=\"1\"} 0\n") != std::string::npos;
  }));
  CHECK(server.stop() == 0);
}

namespace {

struct Flood {
  const char* name;
  std::function<std::string(Http2Wire&, std::uint32_t& id)> more;
};

std::string many(const std::string& frame) {
  std::string all;
  for (int i = 0; i < 200; ++i) all += frame;
  return all;
}

const Flood kFloods[] = {
    {"resets",
     [](Http2Wire& wire, std::uint32_t& id) {
       std::string all;
       for (int i = 0; i < 200; ++i, id += 2) all += wire.get(id, "/hello/") + Http2Wire::reset(id);
       return all;
     }},
    {"PING", [](Http2Wire&, std::uint32_t&) { return many(Http2Wire::frame(NGHTTP2_PING, 0, 0, "01234567")); }},
    {"SETTINGS", [](Http2Wire&, std::uint32_t&) { return many(Http2Wire::frame(NGHTTP2_SETTINGS, 0, 0)); }},
    {"PRIORITY",
     [](Http2Wire&, std::uint32_t&) {
       return many(Http2Wire::frame(NGHTTP2_PRIORITY, 0, 1, std::string("\0\0\0\0\x10", 5)));
     }},
    {"PRIORITY_UPDATE",
     [](Http2Wire&, std::uint32_t&) {
       return many(Http2Wire::frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, std::string("\0\0\0\x01u=1", 7)));
     }},
    {"unknown", [](Http2Wire&, std::uint32_t&) { return many(Http2Wire::frame(0x42, 0, 0, "01234567")); }},
    {"windows", [](Http2Wire&, std::uint32_t&) { return many(Http2Wire::window_update(0, 1)); }},
    {"bombs",
     [](Http2Wire&, std::uint32_t& id) {
       // "a: xxx…" goes into the dynamic table, and then stands in the list a thousand times.
       std::string block(
           "\x82\x86\x84\x40\x01"
           "a\x7f\xbd\x1d",
           9);
       block += std::string(3900, 'x') + std::string(1000, '\xbe');
       const std::string frame = Http2Wire::frame(NGHTTP2_HEADERS, 5, id, block);
       id += 2;
       return frame;
     }},
    {"CONTINUATION",
     [](Http2Wire&, std::uint32_t& id) {
       const std::string field(
           "\x40\x03"
           "abc\x01x",
           7);
       const std::string begin = id == 1 ? Http2Wire::frame(NGHTTP2_HEADERS, 1, 1, "\x82\x86\x84") : "";
       id = 3;
       return begin + many(Http2Wire::frame(NGHTTP2_CONTINUATION, 0, 1, field + field + field));
     }},
};

// Whether the server ends the connection with an error.
template <typename Client>
bool is_sent_away(const Flood& flood, Client& client) {
  Http2Wire wire;
  std::uint32_t id = 1;
  try {
    client.send(wire.preface());
    for (int i = 0; i < 100; ++i) client.send(flood.more(wire, id));
  } catch (const std::runtime_error&) {
    // It has closed already. What it has said can still be read.
  }
  for (std::string got = client.read_available(); !got.empty(); got = client.read_available()) {
    wire.take(got);
    if (!wire.goaways().empty()) return wire.goaways().back().code != NGHTTP2_NO_ERROR;
  }
  return false;
}

}  // namespace

TEST_CASE("floods of HTTP/2 end with their connections, in clear text and over TLS", "[e2e][attacks][.full]") {
  const Site site({"hello"});
  const auto files = write_certificate(site, "a");
  ServerProcess server(site, {"--workers", "1", "--listen", "https://127.0.0.1:0", "--listen", "127.0.0.1:0",
                              "--certificate", files[0], "--key", files[1], "--protocols", "h2,http/1.1,h2c"});
  ::signal(SIGPIPE, SIG_IGN);  // of OpenSSL's socket
  const long before_kib = private_kib(server.workers().front());
  for (const Flood& flood : kFloods) {
    CAPTURE(flood.name);
    HttpClient clear(server.endpoint());
    CHECK(is_sent_away(flood, clear));
    TlsOptions h2;
    h2.protocols = "\x02h2";
    TlsClient secure(https_endpoint(server), h2);
    CHECK(is_sent_away(flood, secure));
    CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  }
  if (!is_sanitized(server.workers().front()))
    CHECK(private_kib(server.workers().front()) - before_kib <= kOthersKib);
  CHECK(server.stop() == 0);
}

TEST_CASE("slowhttptest in its four modes", "[e2e][attacks][.full]") {
  if (!installed({"slowhttptest"})) return;
  const Site site({"hello", "static_sendfile"});
  site.write("static/large.txt", std::string(16 * 1024 * 1024, 'x'));
  const std::vector<std::string> mode =
      GENERATE(std::vector<std::string>{"-H"}, std::vector<std::string>{"-B"}, std::vector<std::string>{"-R"},
               std::vector<std::string>{"-X", "-n", "1", "-w", "512", "-y", "1024", "-z", "5"});
  CAPTURE(mode[0]);
  ServerProcess server(
      site, {"--workers", "1", "--head-timeout", "3s", "--body-timeout", "3s", "--send-timeout", "3s",
             "--mount", "/hello/=hello", "--mount", "/static/=static_sendfile"});
  Crowd crowd{server};
  std::vector<std::string> command = {"slowhttptest", "-c", "500", "-r", "250", "-i", "1",
                                      "-l",           "12", "-p",  "5"};
  command.insert(command.end(), mode.begin(), mode.end());
  command.insert(command.end(), {"-u", server.url(mode[0] == "-B" ? "/hello/" : "/static/large.txt")});
  Process attack(command);
  while (attack.running()) {
    CHECK(fetch(server.endpoint(), "/hello/").status == 200);
    if (!is_sanitized(server.workers().front()))
      CHECK(private_kib(server.workers().front()) - crowd.before_kib <= 500 * kHttp1KibMax + kOthersKib);
    ::usleep(100'000);
  }
  CHECK(attack.out().find("Exit status") != std::string::npos);
  CHECK(server.stop() == 0);
}
