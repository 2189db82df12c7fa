// The state of a running server, as tables for a person. Pure.
#pragma once

#include <string>

#include "control/server_status.h"

namespace sluice {

std::string status_text(const ServerView& view);

}  // namespace sluice
