// A client of HTTP/2 in clear text, on a worker's connections without a worker.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/connection_fixture.h"
#include "support/http2_wire.h"

namespace sluice::test {

struct Http2Fixture : ConnectionFixture {
  Http2Wire wire;
  bool answers = true;  // to what has to be answered

  Http2Fixture() { site.address.http2_clear = true; }
  void begin(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings = {}) {
    connect();
    say(wire.preface(settings));
  }
  // Sends, takes what comes, and answers it.
  void say(const std::string& bytes) {
    for (std::string_view rest = bytes; !rest.empty();) {
      const ssize_t sent = ::send(client.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0 && errno != EAGAIN) break;
      hear();
    }
    hear();
  }
  void hear() {
    for (int i = 0; i < 3; ++i) {
      loop->turn(0);
      for (std::string got = receive(); !got.empty(); got = receive()) wire.take(got);
      const std::string due = wire.due();
      if (answers && !due.empty()) ::send(client.get(), due.data(), due.size(), MSG_NOSIGNAL);
    }
  }
  template <typename Done>
  bool hear_until(Done done) {
    return turn_until([&] {
      hear();
      return done();
    });
  }
  const Http2Answer& ask(std::uint32_t id, const Fields& fields, const std::string& body = "") {
    say(wire.headers(id, fields, body.empty()) + (body.empty() ? "" : Http2Wire::data(id, body)));
    CHECK(hear_until([&] { return wire.is_done(id) || at_end(); }));
    return wire.answer(id);
  }
  bool ends() {
    return hear_until([&] { return table.size() == 0; });
  }
};

}  // namespace sluice::test
