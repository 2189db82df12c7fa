// A stream behind filters, over a fake session.
#pragma once

#include <string>

#include "support/fake_session.h"

namespace sluice::test {

struct FilterFixture : StreamFixture {
  Stream stream{context, session};

  // The end of the request's way. Wakes it when it waits for the module of a filter or handler.
  Stream::Outcome run(const std::string& way, std::uint64_t body_size = 0) {
    stream.take_head(ask(way, body_size), 0);
    return finish();
  }
  Stream::Outcome finish() {
    Stream::Outcome outcome = advance(stream);
    for (int i = 0; i < 10 && outcome == Stream::Outcome::waits && stream.waiting_for() == WaitingFor::handler;
         ++i) {
      for (const Router::FilterPlace& place : router.filters(0)) stream.wake(*place.instance.get());
      outcome = advance(stream);
    }
    return outcome;
  }
  // Where filters may hand requests over to.
  std::string way_to(const std::string& way) { return ask(way).target.data(); }
  std::uint32_t status() const { return session.statuses.empty() ? 0 : *session.statuses.rbegin(); }
  bool has_line(const std::string& line) const {
    return session.fields.find(line + "\r\n") != std::string::npos;
  }
};

}  // namespace sluice::test
