// Modules over the socket: request bodies, deferred and offloaded answers, streams, watches, options.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

constexpr std::size_t kMebi = 1024 * 1024;

// Sends on a thread of its own, so that the test can read the echo meanwhile.
class Sender {
 public:
  Sender(HttpClient& client, std::string bytes)
      : thread_([&client, bytes = std::move(bytes), this] { sent_ = client.try_send(bytes); }) {}
  ~Sender() {
    if (thread_.joinable()) thread_.join();
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  bool finished() {
    thread_.join();
    return sent_;
  }

 private:
  std::atomic<bool> sent_{false};
  std::thread thread_;
};

std::string post(const std::string& target, const std::string& body) {
  return "POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string post_chunked(const std::string& target, const std::string& body, std::size_t piece) {
  std::string text = "POST " + target + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += piece) text += chunk(body.substr(at, piece));
  return text + chunk("");
}

}  // namespace

TEST_CASE("a body of 5 MiB is echoed byte for byte", "[e2e][modules]") {
  const Site site({"echo"});
  ServerProcess server(site);
  const std::string body = random_bytes(5 * kMebi);
  HttpClient client(server.endpoint());
  {
    Sender sender(client, post("/echo/", body));
    const HttpAnswer answer = client.read_answer();
    CHECK(answer.status == 200);
    CHECK(answer.field("Content-Length") == std::to_string(body.size()));
    CHECK((answer.complete && answer.body == body));
    CHECK(sender.finished());
  }
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{70'000}, 5 * kMebi}) {
    Sender sender(client, post_chunked("/echo/", body, piece));
    const HttpAnswer answer = client.read_answer();
    CHECK(answer.field("Transfer-Encoding") == "chunked");
    CHECK((answer.complete && answer.body == body));
    CHECK(sender.finished());
  }
  client.send("POST /echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  CHECK(client.read_answer().body.empty());
  client.request("GET", "/echo/");
  CHECK(client.read_answer().body.empty());
  CHECK(server.stop() == 0);
}

TEST_CASE("a client that reads slowly holds back its own body, not the server", "[e2e][modules]") {
  const Site site({"echo", "hello"});
  ServerProcess server(site, {"--workers", "1"});
  const std::string body = random_bytes(5 * kMebi, 2);
  HttpClient slow(server.endpoint(), kClientTimeoutMs, 4096);
  Sender sender(slow, post("/echo/", body));
  const HttpAnswer head = slow.read_head();
  CHECK(head.status == 200);
  std::string echoed;
  while (echoed.size() < body.size()) {
    const std::string some = slow.read_some(256 * 1024);
    REQUIRE_FALSE(some.empty());
    echoed += some;
    REQUIRE(fetch(server.endpoint(), "/hello/").status == 200);
  }
  CHECK(echoed == body);
  CHECK(sender.finished());
}

TEST_CASE("a request's body that is cut off cancels its answer", "[e2e][modules]") {
  const Site site({"echo", "slow_reader", "hello"});
  ServerProcess server(site, {"--workers", "1", "--body-timeout", "500ms"});
  for (const std::string target : {"/echo/", "/slow_reader/"}) {
    HttpClient gone(server.endpoint());
    gone.send("POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nonly this");
    gone.close_with_reset();
    HttpClient half(server.endpoint());
    half.send("POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nonly this");
    half.finish_sending();
    CHECK_NOTHROW(half.read_to_end());
    HttpClient silent(server.endpoint());
    silent.send("POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nonly this");
    CHECK_NOTHROW(silent.read_to_end());
    HttpClient broken(server.endpoint());
    broken.send("POST " + target + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n");
    CHECK_THAT(broken.read_to_end(), !Contains("0\r\n\r\n"));
    CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("a reader that takes one byte at a time gets them all", "[e2e][modules]") {
  const Site site({"slow_reader"});
  ServerProcess server(site);
  const std::string body = random_bytes(3000, 3);
  std::uint64_t sum = 0;
  for (const char byte : body) sum += static_cast<unsigned char>(byte);
  const std::string wanted = "3000 " + std::to_string(sum) + "\n";
  HttpClient client(server.endpoint());
  client.send(post("/slow_reader/", body));
  CHECK(client.read_answer().body == wanted);
  client.send(post_chunked("/slow_reader/", body, 7));
  CHECK(client.read_answer().body == wanted);
  client.request("GET", "/slow_reader/");
  CHECK(client.read_answer().body == "0 0\n");
}

TEST_CASE("deferred answers come when they are ready, whatever else waits", "[e2e][modules]") {
  const Site site({"defer"});
  ServerProcess server(
      site, {"--workers", "1", "--mount", "/slow/=defer:delay=1s", "--mount", "/now/=defer:delay=0"});
  HttpClient slow(server.endpoint());
  slow.request("GET", "/slow/one");
  HttpClient fast(server.endpoint());
  for (int i = 0; i < 20; ++i) CHECK(fast.get("/now/x").body == "deferred x\n");
  CHECK(slow.read_answer().body == "deferred one\n");

  HttpClient gone(server.endpoint());
  gone.request("GET", "/slow/two");
  gone.close_with_reset();
  CHECK(fast.get("/now/y").body == "deferred y\n");
  CHECK(server.stop() == 0);
}

TEST_CASE("work that blocks does not hold up the loop", "[e2e][modules]") {
  const Site site({"offloader", "hello"});
  ServerProcess server(site, {"--workers", "1", "--mount", "/block/=offloader"});
  site.write("gate", "");
  std::vector<HttpClient> blocked;
  for (int i = 0; i < 4; ++i) {
    blocked.emplace_back(server.endpoint());
    blocked.back().request("GET", "/block/gate");
  }
  HttpClient client(server.endpoint());
  for (int i = 0; i < 100; ++i) REQUIRE(client.get("/hello/").status == 200);
  std::filesystem::remove(site.root() + "/gate");
  for (HttpClient& one : blocked) CHECK(one.read_answer().body == "done off the loop\n");

  HttpClient gone(server.endpoint());  // its work is done although the client has left
  gone.request("GET", "/block/");
  gone.close_with_reset();
  CHECK(client.get("/hello/").status == 200);
  CHECK(server.stop() == 0);
}

TEST_CASE("one mount's blocked work leaves threads to another", "[e2e][modules]") {
  const Site site({"offloader"});
  site.write("gate", "");
  ServerProcess server(site, {"--workers", "1", "--offload-threads", "2", "--mount", "/block/=offloader",
                              "--mount", "/short/=offloader:sleep=1ms"});
  HttpClient one(server.endpoint());
  one.request("GET", "/block/gate");
  HttpClient two(server.endpoint());
  two.request("GET", "/block/gate");
  CHECK(fetch(server.endpoint(), "/short/").status == 200);
  std::filesystem::remove(site.root() + "/gate");
}

TEST_CASE("the handler answers when the queue is full", "[e2e][modules]") {
  const Site site({"offloader", "hello"});
  ServerProcess server(site, {"--workers", "1", "--offload-threads", "1", "--mount",
                              "/block/=offloader:sleep=5s", "--drain-timeout", "100ms"});
  constexpr int kMore = 2200;  // a handler may have half of the 4096 places
  REQUIRE(allow_descriptors(kMore + 100));
  std::vector<HttpClient> waiting;
  for (int i = 0; i < kMore; ++i) {
    waiting.emplace_back(server.endpoint());
    waiting.back().request("GET", "/block/");
  }
  CHECK(waiting.back().read_answer().status == 503);
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
}

TEST_CASE("chunks stream from timers and from watched descriptors", "[e2e][modules]") {
  const Site site({"ticker"});
  ServerProcess server(site);
  HttpClient client(server.endpoint());
  for (const std::string target : {"/ticker/timer?5", "/ticker/fd?5"}) {
    const HttpAnswer answer = client.get(target);
    CHECK(answer.field("Transfer-Encoding") == "chunked");
    CHECK(answer.complete);
    CHECK(answer.body == "tick 1\ntick 2\ntick 3\ntick 4\ntick 5\n");
  }
  HttpClient old(server.endpoint());
  old.send("GET /ticker/fd?3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const HttpAnswer closed = old.read_answer();
  CHECK_FALSE(closed.has("Transfer-Encoding"));
  CHECK(closed.field("Connection") == "close");
  CHECK(closed.body == "tick 1\ntick 2\ntick 3\n");
  CHECK(old.ends());

  HttpClient live(server.endpoint());
  live.request("GET", "/ticker/timer?1000000");
  live.read_head();
  CHECK_THAT(live.read_some(30), Contains("tick 1\n"));  // it comes before the stream ends
  live.close_with_reset();
  CHECK(client.get("/ticker/fd?1").body == "tick 1\n");
  CHECK(server.stop() == 0);
}

TEST_CASE("options reach the handler in every type", "[e2e][modules]") {
  const Site site({"options"});
  ServerProcess server(site, {"--mount", "/a/=options", "--mount",
                              "/b/=options:text=a\\,b,number=42,size=3M,time=5m,flag=yes,choice=three"});
  CHECK(fetch(server.endpoint(), "/a/").body ==
        "mount=/a/\ntext=plain|0\nnumber=7|7\nsize=4k|4096\ntime=2s|2000\nflag=off|0\nchoice=two|1\n");
  CHECK(fetch(server.endpoint(), "/b/").body ==
        "mount=/b/\ntext=a,b|0\nnumber=42|42\nsize=3M|3145728\ntime=5m|300000\nflag=yes|1\nchoice=three|2\n");
}

TEST_CASE("counters, prepared fields, borrowed bytes and Shared objects", "[e2e][modules]") {
  const Site site({"counting"});
  ServerProcess server(site, {"--workers", "1", "--mount", "/a/=counting", "--mount", "/b/=counting"});
  HttpClient client(server.endpoint());
  const HttpAnswer first = client.get("/a/");
  CHECK(first.body == "requests=1 lent=0 refused=yes same=yes shared=yes\n");
  CHECK(first.field("X-Prepared") == "yes");
  CHECK(first.field("Content-Type") == "text/plain");
  for (int i = 0; i < 3; ++i) CHECK(client.get("/b/held").body == "these bytes are borrowed\n");
  client.request("HEAD", "/b/held");
  CHECK(client.read_answer(true).field("Content-Length") == "25");
  CHECK(client.get("/b/").body == "requests=2 lent=0 refused=yes same=yes shared=yes\n");
  CHECK(server.stop() == 0);
}
