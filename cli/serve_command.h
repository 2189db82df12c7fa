// `sluice serve`: reads its settings, then serves; with --check, says what it would serve. One thread;
// returns when the server has ended.
#pragma once

#include <iosfwd>

#include "option_texts.h"
#include "serve_request.h"

namespace sluice::cli {

// Returns the exit code.
int run_serve(const OptionTexts& command_line, const Environment& environment, std::ostream& out,
              std::ostream& err);

}  // namespace sluice::cli
