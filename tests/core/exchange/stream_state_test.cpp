// Every event in every state of a stream, written by hand a second time.
#include "exchange/stream_state.h"

#include <catch2/catch.hpp>
#include <map>

using namespace sluice;

namespace {

using Row = std::map<StreamEvent, StreamState>;  // events that are not listed must not happen

const std::map<StreamState, Row> kExpected = {
    {StreamState::parsing,
     {{StreamEvent::head_complete, StreamState::identifying},
      {StreamEvent::head_refused, StreamState::preparing},
      {StreamEvent::cut, StreamState::ended}}},
    {StreamState::identifying,
     {{StreamEvent::routed, StreamState::preparing},
      {StreamEvent::unrouted, StreamState::preparing},
      {StreamEvent::cut, StreamState::ended}}},
    {StreamState::preparing,
     {{StreamEvent::deferred, StreamState::preparing},
      {StreamEvent::resumed, StreamState::preparing},
      {StreamEvent::answered, StreamState::transmitting},
      {StreamEvent::cut, StreamState::ended}}},
    {StreamState::transmitting,
     {{StreamEvent::parked, StreamState::transmitting},
      {StreamEvent::resumed, StreamState::transmitting},
      {StreamEvent::replaced, StreamState::preparing},
      {StreamEvent::sent_keeping, StreamState::parsing},
      {StreamEvent::sent_closing, StreamState::ended},
      {StreamEvent::cut, StreamState::ended}}},
    {StreamState::ended, {{StreamEvent::cut, StreamState::ended}, {StreamEvent::reused, StreamState::parsing}}},
};

}  // namespace

TEST_CASE("every event in every state of a stream leads where it should", "[stream_state]") {
  REQUIRE(kExpected.size() == kStreamStates);
  for (unsigned s = 0; s < kStreamStates; ++s) {
    for (unsigned e = 0; e < kStreamEvents; ++e) {
      const auto state = static_cast<StreamState>(s);
      const auto event = static_cast<StreamEvent>(e);
      CAPTURE(state_name(state), event_name(event));
      const Row& row = kExpected.at(state);
      const auto expected = row.find(event);
      const auto next = next_state(state, event);
      REQUIRE(next.has_value() == (expected != row.end()));
      if (next) CHECK(*next == expected->second);
    }
  }
}

TEST_CASE("every state of a stream can be left, cut, and reached", "[stream_state]") {
  for (unsigned s = 0; s < kStreamStates; ++s) {
    const auto state = static_cast<StreamState>(s);
    CAPTURE(state_name(state));
    CHECK(next_state(state, StreamEvent::cut) == StreamState::ended);
    bool left = false;
    bool reached = false;
    for (unsigned other = 0; other < kStreamStates; ++other) {
      for (unsigned e = 0; e < kStreamEvents; ++e) {
        const auto event = static_cast<StreamEvent>(e);
        const auto next = next_state(state, event);
        left = left || (next && *next != state);
        reached = reached || (other != s && next_state(static_cast<StreamState>(other), event) == state);
      }
    }
    CHECK(left);
    CHECK(reached);
  }
}
