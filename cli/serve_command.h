// `sluice serve`: reads what it was told, then serves or, with --check, says what would be served.
// One thread; returns when the server has ended.
#pragma once

#include <iosfwd>

#include "option_texts.h"
#include "serve_request.h"

namespace sluice::cli {

// The settings of a start and of each HUP: read_serve_request, and the folders exist.
Result<ServeRequest> read_checked_request(const OptionTexts& command_line, const Environment& environment);

// Returns the exit code.
int run_serve(const OptionTexts& command_line, const Environment& environment, std::ostream& out,
              std::ostream& err);

}  // namespace sluice::cli
