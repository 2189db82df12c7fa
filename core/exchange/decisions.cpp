#include "exchange/decisions.h"

#include <fmt/core.h>

#include "base/log.h"

namespace sluice {

std::string name_of_decider(const ModuleInstance* by) {
  return by == nullptr ? "server" : fmt::format("{}, generation {}", by->name(), by->generation());
}

// The line's context names the request.
void LoggedDecisions::decided(const Decision& decision) {
  log(LogLevel::debug, fmt::format("{}: {}", name_of_decider(decision.by), decision.what));
}

}  // namespace sluice
