#include "connection/connection_state.h"

#include "base/state_table.h"

namespace sluice {
namespace {

constexpr StateRule<State, Event> kRules[] = {
    {State::establishing, Event::opened, State::open},
    {State::establishing, Event::ended, State::terminating},
    {State::establishing, Event::lost, State::terminating},

    {State::open, Event::ended, State::terminating},
    {State::open, Event::lost, State::terminating},

    {State::terminating, Event::lost, State::terminating},
    {State::terminating, Event::finished, State::closed},
};
constexpr StateTable<State, Event, kStates, kEvents> kTable(kRules);

constexpr std::string_view kStateNames[kStates] = {"establishing", "open", "terminating", "closed"};
constexpr std::string_view kEventNames[kEvents] = {"opened", "ended", "lost", "finished"};

}  // namespace

std::optional<State> next_state(State state, Event event) {
  return kTable.next(state, event);
}

State state_after_fault(State state) {
  return state == State::terminating || state == State::closed ? State::closed : State::terminating;
}

std::string_view state_name(State state) {
  return kStateNames[static_cast<unsigned>(state)];
}
std::string_view event_name(Event event) {
  return kEventNames[static_cast<unsigned>(event)];
}

}  // namespace sluice
