// Connections under random sequences of what clients, kernel, handlers and time can do to one. Whatever comes,
// in any order: its states lead on, answers that are whole are as long as they say, an idle connection has no
// session, and in the end everything is destroyed once.
//
// The tests that derive from it say how the client's bytes reach the server, and come back.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <iterator>
#include <random>
#include <string>

#include "base/log.h"
#include "support/answer_reader.h"
#include "support/connection_fixture.h"
#include "support/failing_calls.h"
#include "support/ledger.h"

namespace sluice::test {

struct RandomSequences : ConnectionFixture {
  const UniqueFd log_file{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  std::mt19937 random;
  Ledger ledger;
  AnswerReader answers;
  std::string unsent;  // of what the client wants to send
  State state = State::establishing;

  RandomSequences() {
    mount("ledger");
    set_log_fd(log_file.get());
  }
  virtual ~RandomSequences() { set_log_fd(STDERR_FILENO); }

  // Connects the client with this end, and gives the table the other one.
  virtual void begin(int client_end, UniqueFd server_end) = 0;
  virtual void send_some() = 0;
  virtual void receive_some() = 0;
  virtual void turn() { loop->turn(0); }
  // One of the things that only this kind of client does.
  virtual void do_otherwise() {}

  unsigned below(unsigned count) { return static_cast<unsigned>(random() % count); }
  const Connection* connection() const { return table.at(0); }

  // What the module "ledger" can do.
  std::string a_target() {
    static constexpr const char* kWays[] = {
        "streams", "endless", "parks",   "underruns",    "overruns",          "fails_late",    "twice",
        "defers",  "throws",  "nothing", "reads_slowly", "reads_and_streams", "defers_shortly"};
    char address[32];
    std::snprintf(address, sizeof(address), "%p", static_cast<void*>(&ledger));
    return "/ledger/" + std::string(kWays[below(std::size(kWays))]) + "?" + address;
  }
  std::string a_request() {
    if (below(20) == 0) return std::string(1 + below(50), static_cast<char>(random()));
    std::string text = below(2) == 0 ? "GET" : "POST";
    text += " " + a_target() + " HTTP/1.1\r\nHost: a\r\n";
    if (below(8) == 0) text += "Expect: 100-continue\r\n";
    // Such a head does not fit into a small buffer.
    if (below(8) == 0) text += "X-Long: " + std::string(2500, 'h') + "\r\n";
    switch (below(5)) {
      case 0:
        return text + "Content-Length: 10\r\n\r\n0123456789";
      case 3:
        return text + "Content-Length: 20000\r\n\r\n" + std::string(20'000, 'b');
      case 1:
        return text + "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n";
      case 2:
        return text + (below(4) == 0 ? "Connection: close\r\n\r\n" : "\r\n");
      default:
        return text + "\r\n";
    }
  }

  void step() {
    switch (below(17)) {
      case 0:
        return table.resume(Ticket{below(20)}, *router.find(0, "/ledger/").instance);
      case 1:
        if (below(4) == 0) loop->deadlines().expire(loop->now_ms() + 61'000);
        return;
      case 2:
        if (below(8) == 0) ::shutdown(client.get(), SHUT_WR);
        return;
      case 3:
        if (below(8) == 0) table.end_streams();
        return;
      case 4:
        if (below(8) == 0) table.close_idle();
        return;
      case 5:
        if (below(8) == 0) table.make_room();
        return;
      case 6:
        return do_otherwise();
      case 7:
      case 8:
      case 9:
        return receive_some();
      case 10:
      case 11:
      case 12:
        return turn();
      default:
        return send_some();
    }
  }
  void check() {
    const Connection* now = connection();
    if (table.size() == 0) return;
    REQUIRE(now != nullptr);
    REQUIRE(now->state() >= state);  // they lead on, never back
    state = now->state();
    REQUIRE(ledger.destroyed <= ledger.made);
    if (!now->is_idle()) return;
    const DeadlineNode* node = now;
    REQUIRE(node->armed());
    REQUIRE(inputs.small.lent() + inputs.large.lent() == 0);
    REQUIRE(outputs.lent() == 0);
    REQUIRE(ledger.destroyed == ledger.made);
    check_idle();
  }
  virtual void check_idle() {}

  void run(unsigned seed) {
    // Errors that the kernel may return at any call.
    static constexpr int kErrors[] = {EINTR, EINTR, ENOBUFS, ENOMEM, EPIPE, ECONNRESET};
    CAPTURE(seed);
    random.seed(seed);
    answers = {};
    unsent.clear();
    state = State::establishing;
    const unsigned failing_one_in = 10 + below(100);
    const FailingCalls failing(
        [&] { return below(failing_one_in) == 0 ? kErrors[below(std::size(kErrors))] : 0; });
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    // The least that the kernel allows, so that it is full now and then.
    if (below(2) == 0) TcpPair::set(UniqueFd(::dup(ends[1])), SOL_SOCKET, SO_SNDBUF, 1);
    begin(ends[0], UniqueFd(ends[1]));
    for (int i = 0; i < 200 && table.size() > 0; ++i) {
      step();
      check();
    }
    receive_some();
    client.reset();
    if (below(2) == 0) table.close_all();
    for (int i = 0; i < 50 && table.size() > 0; ++i) turn(), loop->deadlines().expire(loop->now_ms() + 61'000);
    turn();
    REQUIRE(table.size() == 0);
    REQUIRE(inputs.small.lent() + inputs.large.lent() == 0);
    REQUIRE(outputs.lent() == 0);
    REQUIRE(ledger.destroyed == ledger.made);
  }
};

}  // namespace sluice::test
