// The state of a running server as JSON, for programs: all that the tables of `sluice status` say, the history
// of the modules, and the counts. Newer servers add members. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "control/metrics_text.h"
#include "control/server_status.h"

namespace sluice {

// `now_s`: since 1970.
std::string status_json(const ServerView& view, const PastCounts& past, std::int64_t now_s);

}  // namespace sluice
