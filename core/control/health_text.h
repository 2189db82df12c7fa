// How a running server is, in lines that a module can read without a parser: "starting", "ready" or "stopping",
// then "on NAME" for each module that serves, and "off NAME" for each that is switched off. Pure.
#pragma once

#include <string>

#include "control/server_status.h"

namespace sluice {

std::string health_text(const ServerView& view);

}  // namespace sluice
