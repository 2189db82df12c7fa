// Every error of a socket at every call of a conversation. What passes by leaves no trace: the client gets the
// same bytes. What does not ends the connection, and everything that belonged to it is destroyed.
#include <catch2/catch.hpp>
#include <cstdio>
#include <string>

#include "support/answer_reader.h"
#include "support/connection_fixture.h"
#include "support/failing_calls.h"
#include "support/ledger.h"

using namespace sluice;

namespace {

// What is lost stays lost.
constexpr bool passes_by(int error) {
  return error != EPIPE && error != ECONNRESET;
}

struct Conversation : test::ConnectionFixture {
  test::Ledger ledger;
  unsigned calls = 0;     // of the transport, so far
  unsigned fails_at = 0;  // the number of the call that fails
  int error = 0;
  std::string got;

  Conversation() { mount("ledger"); }

  std::string request(const std::string& way, const std::string& more) const {
    char address[32];
    std::snprintf(address, sizeof(address), "%p", static_cast<const void*>(&ledger));
    return "/ledger/" + way + "?" + address + " HTTP/1.1\r\nHost: a\r\n" + more;
  }
  // Sends requests in pieces, and waits for their answers. False when the connection has ended before.
  bool converse() {
    const test::FailingCalls failing([this] {
      ++calls;
      return calls == fails_at || (calls > fails_at && fails_at > 0 && !passes_by(error)) ? error : 0;
    });
    const std::string requests[] = {
        "GET " + request("streams", "\r\n"),
        "GET /none HTTP/1.1\r\nHost: a\r\n\r\nGET " + request("nothing", "\r\n"),
        "POST " + request("reads", "Content-Length: 5000\r\n\r\n"),
        std::string(5000, 'b'),
        "POST " + request("reads_and_streams", "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n"),
        "0\r\n\r\n",
    };
    const unsigned wanted[] = {1, 3, 3, 4, 4, 5};
    connect();
    test::AnswerReader answers;
    for (std::size_t i = 0; i < std::size(requests); ++i) {
      if (::send(client.get(), requests[i].data(), requests[i].size(), MSG_NOSIGNAL) < 0) return false;
      const bool came = turn_until([&] {
        const std::string bytes = receive();
        got += bytes;
        REQUIRE(answers.take(bytes));
        // The kernel would tell of room, or of bytes, later. Here nothing changes, so the client brings it
        // about.
        if (error == EAGAIN && calls >= fails_at) nudge();
        return table.size() == 0 || answers.whole() >= wanted[i];
      });
      REQUIRE(came);
      if (table.size() == 0) return false;
    }
    return true;
  }
  // Any event reports all that is ready. Empty lines before a request mean nothing.
  void nudge() {
    if (!nudged_) static_cast<void>(::send(client.get(), "\r\n", 2, MSG_NOSIGNAL));
    nudged_ = true;
  }

 private:
  bool nudged_ = false;
};

std::string without_dates(std::string text) {
  for (std::size_t at = 0; (at = text.find("Date: ", at)) != std::string::npos;)
    text.erase(at, text.find("\r\n", at) - at);
  return text;
}

}  // namespace

TEST_CASE("an error that passes by changes nothing and any other ends the connection",
          "[transport][connection]") {
  std::string usual;
  unsigned calls = 0;
  {
    Conversation undisturbed;
    REQUIRE(undisturbed.converse());
    usual = without_dates(undisturbed.got);
    calls = undisturbed.calls;
  }
  REQUIRE(calls >= 12);
  const int error = GENERATE(EINTR, EAGAIN, ENOBUFS, ENOMEM, EPIPE, ECONNRESET);
  unsigned missed = 0;
  for (unsigned at = 1; at <= calls; ++at) {
    CAPTURE(error, at);
    Conversation conversation;
    conversation.error = error;
    conversation.fails_at = at;
    const bool answered = conversation.converse();
    // Where turns end at other places, because the machine is busy, there may be fewer calls.
    missed += conversation.calls < at ? 1 : 0;
    if (passes_by(error) || conversation.calls < at) {
      CHECK(answered);
      CHECK(without_dates(conversation.got) == usual);
    } else {
      CHECK_FALSE(answered);
    }
    conversation.client.reset();
    CHECK(conversation.turn_until([&] { return conversation.table.size() == 0; }));
    CHECK(conversation.inputs.small.lent() + conversation.inputs.large.lent() == 0);
    CHECK(conversation.outputs.lent() == 0);
    CHECK(conversation.ledger.destroyed == conversation.ledger.made);
  }
  CHECK(missed <= calls / 2);
}
