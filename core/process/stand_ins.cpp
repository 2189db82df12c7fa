#include "process/stand_ins.h"

#include <string>
#include <vector>

namespace sluice {
namespace {

// A number for a socket of a slot. The highest bit keeps it apart from the sockets of workers that are held up.
std::uint64_t help_number(std::size_t slot, std::size_t socket) {
  return (std::uint64_t{1} << 63) | (static_cast<std::uint64_t>(slot) << 16) | socket;
}

}  // namespace

void StandIns::look(const WorkerGroup& group, std::uint64_t now_ms, const CanHelp& can_help) {
  for (std::size_t slot = 0; slot < group.slots(); ++slot) {
    if (!group.serves(slot)) {
      Absence& absence = absences_.try_emplace(slot, Absence{now_ms}).first->second;
      if (now_ms - absence.since_ms >= kAbsentMs) help(group, slot, absence, now_ms, can_help);
      continue;
    }
    const auto known = absences_.find(slot);
    if (known == absences_.end()) continue;
    if (WorkerProcess* helper = group.find(known->second.helper)) {
      for (std::size_t i = 0; i < group.sockets_of(slot).size(); ++i)
        helper->tell({ControlMessage::help_over, help_number(slot, i)});
    }
    absences_.erase(known);
  }
  // A reload may have left fewer slots.
  absences_.erase(absences_.lower_bound(group.slots()), absences_.end());
}

void StandIns::help(const WorkerGroup& group, std::size_t slot, Absence& absence, std::uint64_t now_ms,
                    const CanHelp& can_help) {
  WorkerProcess* helper = group.find(absence.helper);
  if (helper == nullptr || !can_help(*helper)) {
    helper = group.sibling(slot, can_help);
    absence.tell_ms = 0;
  }
  absence.helper = helper == nullptr ? -1 : helper->pid();
  if (helper == nullptr || now_ms < absence.tell_ms) return;
  absence.tell_ms = now_ms + kTellMs;
  const std::vector<ListeningSocket> sockets = group.sockets_of(slot);
  for (std::size_t i = 0; i < sockets.size(); ++i)
    helper->tell({ControlMessage::help, help_number(slot, i), std::to_string(sockets[i].address)},
                 sockets[i].fd);
}

}  // namespace sluice
