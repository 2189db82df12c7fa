#include "exchange/decisions.h"

#include <fmt/core.h>

#include "base/log.h"

namespace sluice {

std::string name_of_decider(const ModuleInstance* by) {
  return by == nullptr ? "server" : fmt::format("{}, generation {}", by->name(), by->generation());
}

void LoggedDecisions::decided(const Decision& decision) {
  const std::string_view method = decision.request.method_name;
  const std::string_view target = decision.request.target;
  log(LogLevel::debug, fmt::format("{} {} for {}: {}: {}", method, target, decision.client,
                                   name_of_decider(decision.by), decision.what));
}

}  // namespace sluice
