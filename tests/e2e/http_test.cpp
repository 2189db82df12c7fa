// The protocol as clients see it: statuses, fields, framing and connections.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

// A server with modules that need no files.
struct Served {
  explicit Served(const std::vector<std::string>& options = {"--head-max", "4k"}) : server(site, options) {}

  Site site{{"hello", "defer", "echo", "slow_reader", "ticker"}};
  ServerProcess server;
  const Endpoint& endpoint() const { return server.endpoint(); }

  // The answer to these bytes. The server must close after it.
  HttpAnswer refused(const std::string& bytes) const {
    HttpClient client(endpoint());
    client.send(bytes);
    HttpAnswer answer = client.read_answer();
    CHECK(answer.complete);
    CHECK(answer.field("Connection") == "close");
    CHECK(client.ends());
    CHECK_FALSE(client.was_reset());
    return answer;
  }
};

}  // namespace

TEST_CASE("GET and HEAD have the same head", "[e2e][http]") {
  const Served served;
  HttpClient client(served.endpoint());
  const HttpAnswer got = client.get("/hello/");
  CHECK(got.status == 200);
  CHECK(got.reason == "OK");
  CHECK(got.version == "HTTP/1.1");
  CHECK(got.complete);
  CHECK_THAT(got.body, StartsWith("Hello"));
  CHECK(got.field("Content-Length") == std::to_string(got.body.size()));
  CHECK_THAT(got.field("Content-Type"), StartsWith("text/plain"));
  CHECK_THAT(got.field("Date"), Catch::Matchers::EndsWith(" GMT"));
  CHECK(got.field("Date").size() == 29);
  CHECK(got.count("Date") == 1);

  client.request("HEAD", "/hello/");
  const HttpAnswer head = client.read_answer(true);
  CHECK(head.status == 200);
  CHECK(head.field("Content-Length") == got.field("Content-Length"));
  CHECK(head.field("Content-Type") == got.field("Content-Type"));

  client.request("HEAD", "/ticker/timer?3");
  CHECK(client.read_answer(true).field("Transfer-Encoding") == "chunked");
  CHECK(client.get("/hello/").body == got.body);  // no byte of a body was left between the two answers
}

TEST_CASE("requests that cannot be served are refused by name", "[e2e][http]") {
  const Served served;
  CHECK(fetch(served.endpoint(), "/nothing/here").status == 404);
  CHECK_THAT(fetch(served.endpoint(), "/nothing/here").body, Contains("404"));
  CHECK(fetch(served.endpoint(), "/hello/../../etc/passwd").status == 404);
  CHECK(fetch(served.endpoint(), "/hello/%2e%2e/%2e%2e/etc/passwd").status == 404);
  CHECK(fetch(served.endpoint(), "/hello/%zz").status == 400);
  CHECK(fetch(served.endpoint(), "/hello/%00").status == 400);

  CHECK(served.refused("nonsense\r\n\r\n").status == 400);
  CHECK(served.refused("GET /hello/ HTTP/1.1\r\n\r\n").status == 400);  // no Host
  CHECK(served.refused("GET /hello/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").status == 400);
  CHECK(served.refused("GET  /hello/ HTTP/1.1\r\nHost: a\r\n\r\n").status == 400);
  CHECK(served.refused("GET /hello/ HTTP/1.1\r\nHost : a\r\n\r\n").status == 400);
  CHECK(served.refused("GET /hello/ HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n").status == 400);
  CHECK(served.refused("GET /hello/ HTTP/1.1\nHost: a\n\n").status == 400);
  CHECK(served
            .refused(
                "POST /hello/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
            .status == 400);
  CHECK(served.refused("BREW /hello/ HTTP/1.1\r\nHost: a\r\n\r\n").status == 501);
  CHECK(served.refused("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n").status == 405);
  CHECK(served.refused("GET /hello/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n").status ==
        501);
  CHECK(served.refused("GET /hello/ HTTP/2.0\r\nHost: a\r\n\r\n").status == 505);
  CHECK(served.refused("GET /hello/ HTTP/3.7\r\nHost: a\r\n\r\n").status == 505);
  CHECK(served.refused("GET /hello/ HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n").status == 417);
  CHECK(served.refused("GET /" + std::string(5000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n").status == 414);
  CHECK(served.refused("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(5000, 'a') + "\r\n\r\n").status == 431);
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 200; ++i) many += "X: y\r\n";
  CHECK(served.refused(many + "\r\n").status == 431);
  CHECK(fetch(served.endpoint(), "/hello/").status == 200);
}

TEST_CASE("OPTIONS * lists the methods that the server understands", "[e2e][http]") {
  const Served served;
  HttpClient client(served.endpoint());
  client.request("OPTIONS", "*");
  const HttpAnswer answer = client.read_answer();
  CHECK(answer.status == 204);
  CHECK_THAT(answer.field("Allow"), Contains("GET") && Contains("HEAD"));
  CHECK_FALSE(answer.has("Content-Length"));
}

TEST_CASE("a head that does not come in time is answered with 408", "[e2e][http]") {
  const Served served({"--head-timeout", "500ms"});
  CHECK(served.refused("GET /hello/ HT").status == 408);
  HttpClient silent(served.endpoint());
  CHECK(silent.ends());  // the client sent nothing, so it gets no answer
}

TEST_CASE("a connection is kept until a side wants it closed", "[e2e][http]") {
  const Served served;
  HttpClient client(served.endpoint());
  for (int i = 0; i < 5; ++i) {
    const HttpAnswer answer = client.get("/hello/");
    CHECK(answer.status == 200);
    CHECK_FALSE(answer.has("Connection"));
  }
  const HttpAnswer last = client.get("/hello/", "Connection: close\r\n");
  CHECK(last.field("Connection") == "close");
  CHECK(client.ends());

  HttpClient old(served.endpoint());
  old.send("GET /hello/ HTTP/1.0\r\n\r\n");
  const HttpAnswer closed = old.read_answer();
  CHECK(closed.status == 200);
  CHECK(closed.complete);
  CHECK(old.ends());

  HttpClient kept(served.endpoint());
  for (int i = 0; i < 3; ++i) {
    kept.send("GET /hello/ HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    CHECK(kept.read_answer().field("Connection") == "keep-alive");
  }
}

TEST_CASE("pipelined requests are answered in their order", "[e2e][http]") {
  const Served served;
  HttpClient client(served.endpoint());
  std::string requests;
  for (int i = 0; i < 200; ++i) {
    requests += "GET /" + std::string(i % 10 == 5 ? "defer/" + std::to_string(i) : "hello/") +
                " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  client.send(requests);
  for (int i = 0; i < 200; ++i) {
    const HttpAnswer answer = client.read_answer();
    REQUIRE(answer.status == 200);
    if (i % 10 == 5) REQUIRE(answer.body == "deferred " + std::to_string(i) + "\n");
  }
}

TEST_CASE("a pipeline whose client does not read does not stop the others", "[e2e][http]") {
  const Served served;
  HttpClient greedy(served.endpoint(), kClientTimeoutMs, 4096);
  std::string requests;
  for (int i = 0; i < 2000; ++i) requests += "GET /hello/ HTTP/1.1\r\nHost: a\r\n\r\n";
  greedy.send(requests);
  CHECK(fetch(served.endpoint(), "/hello/").status == 200);
  for (int i = 0; i < 2000; ++i) REQUIRE(greedy.read_answer().status == 200);
}

TEST_CASE("a request may come byte by byte", "[e2e][http]") {
  const Served served;
  HttpClient client(served.endpoint());
  client.send_byte_by_byte("GET /hello/?x=1 HTTP/1.1\r\nHost: a\r\nX-Long: b\r\n\r\n");
  CHECK(client.read_answer().status == 200);
  client.send_byte_by_byte(
      "POST /echo/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  CHECK(client.read_answer().body == "abc");
  client.send("\r\n\r\n");  // blank lines before a request
  CHECK(client.get("/hello/").status == 200);
}

TEST_CASE("a client that has finished sending still gets its answers", "[e2e][http]") {
  const Served served;
  HttpClient client(served.endpoint());
  client.send("GET /defer/x HTTP/1.1\r\nHost: a\r\n\r\nGET /hello/ HTTP/1.1\r\nHost: a\r\n\r\n");
  client.finish_sending();
  CHECK(client.read_answer().body == "deferred x\n");
  CHECK(client.read_answer().status == 200);
  CHECK(client.ends());
}

TEST_CASE("an unwanted request body is skipped or ends the connection", "[e2e][http]") {
  const Served served;
  HttpClient client(served.endpoint());
  client.send("GET /hello/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  CHECK(client.read_answer().status == 200);
  client.send("GET /hello/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("hello") +
              chunk(""));
  CHECK(client.read_answer().status == 200);
  CHECK(client.get("/hello/").status == 200);

  // More than the server would skip: the answer comes, then the end, and no reset destroys the answer.
  HttpClient large(served.endpoint());
  large.send("POST /hello/ HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n" +
             std::string(100'000, 'x'));
  const HttpAnswer answer = large.read_answer();
  CHECK(answer.status == 200);
  CHECK(answer.field("Connection") == "close");
}

TEST_CASE("Expect: 100-continue is answered when the body is wanted", "[e2e][http]") {
  const Served served;
  const std::string expecting = "Host: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  HttpClient wanted(served.endpoint());
  wanted.send("POST /echo/ HTTP/1.1\r\n" + expecting);
  CHECK(wanted.read_answer().status == 100);
  wanted.send("body");
  const HttpAnswer echoed = wanted.read_answer();
  CHECK(echoed.status == 200);
  CHECK(echoed.body == "body");
  CHECK(wanted.get("/hello/").status == 200);

  HttpClient deferred(served.endpoint());
  deferred.send("POST /slow_reader/ HTTP/1.1\r\n" + expecting);
  CHECK(deferred.read_answer().status == 100);
  deferred.send("abcd");
  CHECK(deferred.read_answer().body == "4 394\n");

  HttpClient unwanted(served.endpoint());
  unwanted.send("POST /hello/ HTTP/1.1\r\n" + expecting);
  const HttpAnswer refused = unwanted.read_answer();
  CHECK(refused.status == 200);
  CHECK(refused.field("Connection") == "close");

  HttpClient hasty(served.endpoint());  // it sends the body without waiting
  hasty.send("POST /echo/ HTTP/1.1\r\n" + expecting + "body");
  HttpAnswer answer = hasty.read_answer();
  if (answer.status == 100) answer = hasty.read_answer();
  CHECK(answer.body == "body");
}

TEST_CASE("a body that stops coming ends its connection, read or not", "[e2e][http]") {
  const Site site({"hello", "slow_reader"});
  ServerProcess server(site, {"--workers", "1", "--body-timeout", "300ms", "--linger-timeout", "500ms"});
  for (const std::string path : {"/slow_reader/", "/hello/"}) {
    INFO(path);
    HttpClient client(server.endpoint());
    client.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\nab");
    const HttpAnswer answer = client.read_answer();
    CHECK(answer.status == 408);
    CHECK(answer.field("Connection") == "close");
    client.try_send("GET /hello/ HTTP/1.1\r\nHost: a\r\n\r\n");  // it may be meant as the rest of the body
    CHECK(client.ends());
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("a reader may answer", "[e2e][http]") {
  const Site site({"slow_reader"});
  ServerProcess server(site, {"--workers", "1", "--handler-timeout", "3s"});
  HttpClient client(server.endpoint());
  for (int i = 0; i < 2; ++i) {
    client.send("POST /slow_reader/direct HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(client.read_answer().body == "direct 5\n");
  }
  CHECK(server.stop() == 0);
}
