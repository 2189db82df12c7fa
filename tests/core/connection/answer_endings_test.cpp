// Requests that end without a complete answer: it fails or is overdue, or the client or the server ends. The
// tests also check whether the log blames a module.
#include "connection/http1_session.h"
#include "support/served_client.h"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using sluice::Connection;
using sluice::DeadlineKind;
using sluice::State;
using sluice::WaitingFor;
using sluice::test::ServedClient;

TEST_CASE_METHOD(ServedClient, "an answer that fails before its first byte left becomes an error page",
                 "[endings]") {
  const std::string framing = GENERATE("", "?chunked");
  connect();
  get("failed" + framing);
  const std::string failed = receive();
  CHECK_THAT(failed, StartsWith("HTTP/1.1 502 "));
  CHECK_THAT(failed, !Contains("X-Of"));
  get("threw" + framing);
  CHECK_THAT(receive(), StartsWith("HTTP/1.1 500 "));
  CHECK_FALSE(is_closed());
  CHECK(stats.requests.get() == 2);
  CHECK(stats.answers_by_class[5].get() == 2);
  CHECK(stats.answers_by_class[2].get() == 0);
}

TEST_CASE_METHOD(ServedClient, "a head waits for its body while other connections have their turn",
                 "[endings]") {
  std::vector<sluice::UniqueFd> clients;
  for (int i = 0; i < 64; ++i) {
    connect();
    const std::string request = "GET /m/failed HTTP/1.1\r\nHost: a\r\n\r\n";
    REQUIRE(::send(client.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(request.size()));
    clients.push_back(std::move(client));
  }
  CHECK(turn_until([&] { return stats.answers_by_class[5].get() == clients.size(); }));
  for (auto& one : clients) {
    client = std::move(one);
    CHECK_THAT(receive(), StartsWith("HTTP/1.1 502 "));
  }
}

TEST_CASE_METHOD(ServedClient, "an answer that fails does not take earlier answers back", "[endings]") {
  connect();
  const std::string kept = "GET /m/large?5 HTTP/1.1\r\nHost: a\r\n\r\n";
  send(kept + "GET /m/failed HTTP/1.1\r\nHost: a\r\n\r\n" + kept);
  const std::string all = receive();
  CHECK_THAT(all,
             StartsWith("HTTP/1.1 200 OK\r\n") && Contains("xxxxxHTTP/1.1 502 ") && Contains("HTTP/1.1 200 "));
  CHECK(stats.requests.get() == 3);
}

TEST_CASE_METHOD(ServedClient, "an answer that fails after its first bytes left is cut", "[endings]") {
  connect();
  get("late?chunked");
  const std::string begun = receive_to_end();
  CHECK_THAT(begun, StartsWith("HTTP/1.1 200 ") && Contains("a piece") && !Contains("\r\n0\r\n"));
}

TEST_CASE_METHOD(ServedClient, "the log names an invalid status that was given to fail", "[endings]") {
  connect();
  for (const std::string status : {"0", "200", "299", "600", "70000"}) {
    get("page?" + status);
    CHECK_THAT(receive(), StartsWith("HTTP/1.1 500 "));
    CHECK_THAT(logged(),
               Contains("it failed with the status " + status + ", which is not one from 300 to 599"));
  }
  get("page?404");
  CHECK_THAT(receive(), StartsWith("HTTP/1.1 404 "));
  CHECK(stats.module_faults.get() == 5);
}

TEST_CASE_METHOD(ServedClient, "the log says what is overdue", "[endings]") {
  loop->deadlines().set_duration(DeadlineKind::handler, 20);
  connect();
  SECTION("a parked body") {
    get("stream");
    CHECK_THAT(receive_to_end(), Contains("a piece"));
    CHECK_THAT(logged(), Contains("a parked body was not resumed in time"));
  }
  SECTION("a paused reader") {
    send("POST /m/paused HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    CHECK_THAT(receive_to_end(), Contains("answered"));
    CHECK_THAT(logged(), Contains("a reader that had paused was not resumed in time") && !Contains("parked"));
  }
  SECTION("a deferred answer") {
    get("deferred");
    std::string got;
    CHECK(turn_until([&] { return (got += receive()).starts_with("HTTP/1.1 504 "); }));
    CHECK_THAT(logged(), Contains("a deferred answer is overdue"));
  }
  CHECK(stats.module_faults.get() == 1);
}

TEST_CASE_METHOD(ServedClient, "a client that leaves ends its endless stream, and no module is blamed",
                 "[endings]") {
  loop->deadlines().set_duration(DeadlineKind::linger, 20);
  connect();
  get("stream");
  CHECK_THAT(receive(), Contains("a piece"));
  SECTION("by an orderly end") {
    ::shutdown(client.get(), SHUT_WR);
  }
  SECTION("by closing") {
    client.reset();
  }
  CHECK(turn_until([&] { return table.size() == 0; }));
  CHECK(stats.module_faults.get() == 0);
  CHECK_THAT(logged(), !Contains("error") && Contains("debug test: a client has left"));
}

TEST_CASE_METHOD(ServedClient, "a half-closed client still gets an answer that has an end", "[endings]") {
  loop->deadlines().set_duration(DeadlineKind::linger, 20);
  loop->deadlines().set_duration(DeadlineKind::handler, 200);
  connect();
  get(GENERATE("file", "deferred"));
  ::shutdown(client.get(), SHUT_WR);
  const std::uint64_t sent_end_ms = loop->now_ms();
  CHECK(turn_until([&] { return loop->now_ms() > sent_end_ms + 60; }));
  CHECK(table.size() == 1);
  CHECK(turn_until([&] { return table.size() == 0; }));
  CHECK(stats.module_faults.get() == 0);
}

TEST_CASE_METHOD(ServedClient, "a server that stops closes endless streams so that they look cut",
                 "[endings]") {
  connect();
  SECTION("one that waits") {
    get("stream");
    CHECK_FALSE(table.end_streams());
    CHECK_THAT(receive_to_end(), Contains("a piece") && !Contains("\r\n0\r\n"));
  }
  SECTION("one that begins to wait later") {
    context.ending_streams = true;
    get("stream");
    CHECK_THAT(receive_to_end(), Contains("a piece") && !Contains("\r\n0\r\n"));
  }
  SECTION("one that only the end of the connection ends") {
    send("GET /m/stream HTTP/1.0\r\n\r\n");
    CHECK_THAT(receive(), Contains("a piece"));
    CHECK_FALSE(table.end_streams());
    loop->turn(0);
    char byte = 0;
    CHECK(::recv(client.get(), &byte, 1, 0) <= 0);
  }
  SECTION("not one whose end is known") {
    get("file");
    CHECK_FALSE(table.end_streams());
    CHECK(table.size() == 1);
    return;
  }
  CHECK(table.size() == 0);
  CHECK(stats.module_faults.get() == 0);
}

TEST_CASE_METHOD(ServedClient, "an answer that waits for its module gives its empty output back", "[endings]") {
  connect();
  get("stream");
  CHECK_THAT(receive(), Contains("a piece"));
  const Connection* connection = table.at(0);
  REQUIRE(connection->waiting_for() == WaitingFor::handler);
  CHECK(outputs.lent() == 0);
  CHECK(inputs.small.lent() == 1);  // it has the request's head
}
