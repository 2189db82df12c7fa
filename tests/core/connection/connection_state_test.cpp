// Every event in every state, written by hand a second time.
#include "connection/connection_state.h"

#include <catch2/catch.hpp>
#include <map>

using sluice::Event;
using sluice::event_name;
using sluice::kEvents;
using sluice::kStates;
using sluice::next_state;
using sluice::State;
using sluice::state_after_fault;
using sluice::state_name;

namespace {

using Row = std::map<Event, State>;  // events that are not listed must not happen

const std::map<State, Row> kExpected = {
    {State::establishing,
     {{Event::opened, State::open}, {Event::ended, State::terminating}, {Event::lost, State::terminating}}},
    {State::open, {{Event::ended, State::terminating}, {Event::lost, State::terminating}}},
    {State::terminating, {{Event::lost, State::terminating}, {Event::finished, State::closed}}},
    {State::closed, {}},
};

}  // namespace

TEST_CASE("every event in every state leads where it should", "[connection_state]") {
  REQUIRE(kExpected.size() == kStates);
  for (unsigned s = 0; s < kStates; ++s) {
    for (unsigned e = 0; e < kEvents; ++e) {
      const auto state = static_cast<State>(s);
      const auto event = static_cast<Event>(e);
      CAPTURE(state_name(state), event_name(event));
      const Row& row = kExpected.at(state);
      const auto expected = row.find(event);
      const auto next = next_state(state, event);
      REQUIRE(next.has_value() == (expected != row.end()));
      if (next) CHECK(*next == expected->second);
    }
  }
}

TEST_CASE("an event that must not happen ends a connection, and opens no closed one", "[connection_state]") {
  for (unsigned s = 0; s < kStates; ++s) {
    const auto state = static_cast<State>(s);
    CAPTURE(state_name(state));
    const bool near_the_end = state == State::terminating || state == State::closed;
    CHECK(state_after_fault(state) == (near_the_end ? State::closed : State::terminating));
  }
}

TEST_CASE("every state but the last can be left, and every one but the first reached", "[connection_state]") {
  for (unsigned s = 0; s < kStates; ++s) {
    bool left = false;
    bool reached = false;
    for (unsigned other = 0; other < kStates; ++other) {
      for (unsigned e = 0; e < kEvents; ++e) {
        const auto event = static_cast<Event>(e);
        const auto next = next_state(static_cast<State>(s), event);
        left = left || (next && *next != static_cast<State>(s));
        reached = reached || next_state(static_cast<State>(other), event) == static_cast<State>(s);
      }
    }
    CAPTURE(state_name(static_cast<State>(s)));
    CHECK(left == (static_cast<State>(s) != State::closed));
    CHECK(reached == (static_cast<State>(s) != State::establishing));
  }
}
