// Breaches of the contract by modules: the request is answered or cut, the log names the module, and the
// service goes on.
#include <catch2/catch.hpp>
#include <string>

#include "support/server_process.h"

using namespace sluice::test;
using Catch::Matchers::Contains;

TEST_CASE("an answer given twice counts once", "[e2e][faults]") {
  const Site site({"twice"});
  ServerProcess server(site);
  HttpClient client(server.endpoint());
  for (const std::string target : {"/twice/", "/twice/stream", "/twice/defer"}) {
    const HttpAnswer answer = client.get(target);
    CHECK(answer.status == 200);
    CHECK(answer.body == "first\n");
  }
  CHECK(server.logs("module twice at /twice/: it answered a request twice"));
  CHECK(server.logs("it deferred a request that was answered or deferred already"));
  CHECK(server.stop() == 0);
}

TEST_CASE("an answer that is never given is a 500", "[e2e][faults]") {
  const Site site({"never", "hello"});
  ServerProcess server(site);
  HttpClient client(server.endpoint());
  const HttpAnswer answer = client.get("/never/");
  CHECK(answer.status == 500);
  CHECK_THAT(answer.body, Contains("500"));
  CHECK(server.logs("module never at /never/: it neither answered nor deferred a request"));
  CHECK(client.get("/hello/").status == 200);
}

TEST_CASE("an exception of a module is a 500, or cuts an answer that has begun", "[e2e][faults]") {
  const Site site({"thrower", "hello"});
  ServerProcess server(site, {"--workers", "1"});
  const std::vector<pid_t> workers = server.workers();
  HttpClient client(server.endpoint());
  CHECK(client.get("/thrower/").status == 500);
  CHECK(
      server.logs("module thrower at /thrower/: it threw thrown in handle, for GET /thrower/ HTTP/1.1, "
                  "site default, client 127.0.0.1:"));
  CHECK(server.logs(", connection 1\n"));
  CHECK(client.get("/thrower/number").status == 500);
  CHECK(client.get("/thrower/deferred").status == 500);
  CHECK(client.get("/thrower/task").status == 500);
  CHECK(server.logs("thrown in a task"));
  CHECK(client.get("/hello/").status == 200);

  HttpClient reader(server.endpoint());
  reader.send("POST /thrower/reader HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
  CHECK(reader.read_answer().status == 500);
  CHECK(server.logs("thrown in a reader, for POST /thrower/reader HTTP/1.1"));

  HttpClient cut(server.endpoint());
  const HttpAnswer begun = cut.get("/thrower/pump");
  CHECK(begun.status == 200);
  CHECK_FALSE(begun.complete);
  CHECK(server.logs("thrown in pump"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.workers() == workers);
  CHECK(server.stop() == 0);
}

TEST_CASE("a deferred answer that is overdue is a 504", "[e2e][faults]") {
  const Site site({"defer", "ticker", "hello"});
  ServerProcess server(site, {"--handler-timeout", "300ms", "--mount", "/late/=defer:delay=1h", "--mount",
                              "/stuck/=ticker:every=1h"});
  HttpClient client(server.endpoint());
  CHECK(client.get("/late/").status == 504);
  CHECK(server.logs("module defer at /late/: a deferred answer is overdue, for GET /late/ HTTP/1.1"));
  CHECK(client.get("/hello/").status == 200);  // the connection can still be used

  const HttpAnswer stuck = client.get("/stuck/timer?1");
  CHECK(stuck.status == 200);
  CHECK_FALSE(stuck.complete);
  CHECK(server.logs("module ticker at /stuck/: a parked body was not resumed in time"));
  CHECK(server.stop() == 0);
}

TEST_CASE("bodies that have room and write nothing are cut off in time", "[e2e][faults]") {
  const Site site({"stalls", "hello"});
  ServerProcess server(site, {"--workers", "1", "--handler-timeout", "300ms"});
  std::vector<HttpClient> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back(server.endpoint());
    clients.back().request("GET", "/stalls/");
  }
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  for (HttpClient& client : clients) {
    const HttpAnswer answer = client.read_answer();
    CHECK(answer.status == 200);
    CHECK_FALSE(answer.complete);
  }
  CHECK(server.logs("module stalls at /stalls/: its body had room and wrote nothing in time"));
  CHECK(server.stop() == 0);
}

TEST_CASE("a body of the wrong size cuts the connection, never pads it", "[e2e][faults]") {
  const Site site({"overrun", "underrun", "hello"});
  ServerProcess server(site);
  HttpClient over(server.endpoint());
  over.request("GET", "/overrun/");
  const std::string text = over.read_to_end();
  CHECK_THAT(text, !Contains("twenty bytes of text"));
  CHECK(server.logs("module overrun at /overrun/: it wrote more than it had declared"));

  HttpClient under(server.endpoint());
  under.request("GET", "/underrun/");
  CHECK_NOTHROW(under.read_to_end());
  CHECK(server.logs("module underrun at /underrun/: it wrote less than it had declared"));

  HttpClient head(server.endpoint());
  head.request("HEAD", "/underrun/");
  CHECK(head.read_answer(true).field("Content-Length") == "100");
  CHECK(head.get("/hello/").status == 200);
}

TEST_CASE("a body that gives up cuts the connection", "[e2e][faults]") {
  const Site site({"fails", "hello"});
  ServerProcess server(site);
  for (const std::string target : {"/fails/", "/fails/chunked"}) {
    HttpClient client(server.endpoint());
    client.request("GET", target);
    const std::string text = client.read_to_end();
    CHECK_THAT(text, !Contains("\r\n0\r\n"));  // no last chunk
  }
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(server.stop() == 0);
}

TEST_CASE("the server's own page keeps a handler's fields but has one type", "[e2e][faults]") {
  const Site site({"fails"});
  ServerProcess server(site);
  const HttpAnswer answer = fetch(server.endpoint(), "/fails/page");
  CHECK(answer.status == 409);
  CHECK(answer.reason == "Conflict");
  CHECK(answer.field("X-Kept") == "yes");
  CHECK(answer.count("Content-Type") == 1);
  CHECK_THAT(answer.body, Contains("409 Conflict"));
}

TEST_CASE("modules of another interface are refused with a sentence", "[e2e][faults]") {
  const Site site({"hello", "abi_wrong_major", "abi_newer_minor", "abi_wrong_layout", "abi_no_symbol"});
  site.write_beside("plugins.d/text.so",
                    "this is not a shared object, but it is long enough to hold a head of one..");
  site.write_beside("plugins.d/empty.so", "");
  ServerProcess server(site);
  CHECK(server.logs("abi_wrong_major.so was built for module ABI 2.2, this sluice speaks 1.2: build it again"));
  CHECK(server.logs("abi_newer_minor.so was built for module ABI 1.3, this sluice speaks 1.2: update sluice"));
  CHECK(server.logs("abi_wrong_layout.so lays out the interface's structs in another way"));
  CHECK(server.logs("abi_no_symbol.so is not a module of sluice: it exports no sluice_module"));
  CHECK(server.logs("text.so is not a shared object"));
  CHECK(server.logs("empty.so is not a shared object"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
  CHECK(fetch(server.endpoint(), "/abi_wrong_major/").status == 404);
}

TEST_CASE("two files with one module's name do not replace each other", "[e2e][faults]") {
  const Site site({"hello"});
  site.write_beside("plugins.d/other.so", site.read_plugin("hello"));
  ServerProcess server(site);
  CHECK(server.logs("other.so is left out: another file has a module named hello already"));
  CHECK(fetch(server.endpoint(), "/hello/").status == 200);
}
