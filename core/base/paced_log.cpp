#include "base/paced_log.h"

#include <utility>

#include "base/log.h"

namespace sluice {

bool PacedLog::is_due(std::uint64_t now_ms) {
  if (logged_ms_ != 0 && now_ms - logged_ms_ < every_ms_) {
    ++unsaid_;
    return false;
  }
  logged_ms_ = now_ms;
  return true;
}

void PacedLog::say(LogLevel level, std::string sentence) {
  if (unsaid_ > 0) sentence += "; " + std::to_string(unsaid_) + " others since the last such line";
  unsaid_ = 0;
  log(level, sentence);
}

}  // namespace sluice
