#include "connection/connection_state.h"

#include <array>

namespace sluice {
namespace {

struct Rule {
  State from;
  Event event;
  State to;
};

constexpr Rule kRules[] = {
    {State::establishing, Event::opened, State::parsing},
    {State::establishing, Event::lost, State::terminating},

    {State::parsing, Event::head_complete, State::identifying},
    {State::parsing, Event::head_refused, State::preparing},
    {State::parsing, Event::ended, State::terminating},
    {State::parsing, Event::lost, State::terminating},

    {State::identifying, Event::routed, State::preparing},
    {State::identifying, Event::unrouted, State::preparing},
    {State::identifying, Event::lost, State::terminating},

    {State::preparing, Event::deferred, State::preparing},
    {State::preparing, Event::resumed, State::preparing},
    {State::preparing, Event::answered, State::transmitting},
    {State::preparing, Event::lost, State::terminating},

    {State::transmitting, Event::parked, State::transmitting},
    {State::transmitting, Event::resumed, State::transmitting},
    {State::transmitting, Event::replaced, State::preparing},
    {State::transmitting, Event::sent_keeping, State::parsing},
    {State::transmitting, Event::sent_closing, State::terminating},
    {State::transmitting, Event::lost, State::terminating},

    {State::terminating, Event::lost, State::terminating},
    {State::terminating, Event::finished, State::closed},
};

using Table = std::array<std::array<std::int8_t, kEvents>, kStates>;

constexpr Table make_table() {
  Table table{};
  for (auto& row : table) row.fill(-1);
  for (const Rule& rule : kRules) {
    table[static_cast<unsigned>(rule.from)][static_cast<unsigned>(rule.event)] =
        static_cast<std::int8_t>(rule.to);
  }
  return table;
}
constexpr Table kTable = make_table();

constexpr std::string_view kStateNames[kStates] = {"establishing", "parsing",     "identifying", "preparing",
                                                   "transmitting", "terminating", "closed"};
constexpr std::string_view kEventNames[kEvents] = {
    "opened",   "head_complete", "head_refused", "routed",       "unrouted", "deferred", "parked",  "resumed",
    "answered", "replaced",      "sent_keeping", "sent_closing", "ended",    "lost",     "finished"};

}  // namespace

std::optional<State> next_state(State state, Event event) {
  const std::int8_t next = kTable[static_cast<unsigned>(state)][static_cast<unsigned>(event)];
  if (next < 0) return std::nullopt;
  return static_cast<State>(next);
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
