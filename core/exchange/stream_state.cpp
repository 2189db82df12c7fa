#include "exchange/stream_state.h"

#include "base/state_table.h"

namespace sluice {
namespace {

using S = StreamState;
using E = StreamEvent;

constexpr StateRule<S, E> kRules[] = {
    {S::parsing, E::head_complete, S::identifying},
    {S::parsing, E::head_refused, S::preparing},
    {S::parsing, E::cut, S::ended},

    {S::identifying, E::routed, S::preparing},
    {S::identifying, E::unrouted, S::preparing},
    {S::identifying, E::cut, S::ended},

    {S::preparing, E::deferred, S::preparing},
    {S::preparing, E::resumed, S::preparing},
    {S::preparing, E::answered, S::transmitting},
    {S::preparing, E::cut, S::ended},

    {S::transmitting, E::parked, S::transmitting},
    {S::transmitting, E::resumed, S::transmitting},
    {S::transmitting, E::replaced, S::preparing},
    {S::transmitting, E::sent_keeping, S::parsing},
    {S::transmitting, E::sent_closing, S::ended},
    {S::transmitting, E::cut, S::ended},

    {S::ended, E::cut, S::ended},
    {S::ended, E::reused, S::parsing},
};
constexpr StateTable<S, E, kStreamStates, kStreamEvents> kTable(kRules);

constexpr std::string_view kStateNames[kStreamStates] = {"parsing", "identifying", "preparing", "transmitting",
                                                         "ended"};
constexpr std::string_view kEventNames[kStreamEvents] = {
    "head_complete", "head_refused", "routed",       "unrouted",     "deferred", "parked", "resumed",
    "answered",      "replaced",     "sent_keeping", "sent_closing", "cut",      "reused"};

}  // namespace

std::optional<StreamState> next_state(StreamState state, StreamEvent event) {
  return kTable.next(state, event);
}

std::string_view state_name(StreamState state) {
  return kStateNames[static_cast<unsigned>(state)];
}
std::string_view event_name(StreamEvent event) {
  return kEventNames[static_cast<unsigned>(event)];
}

}  // namespace sluice
