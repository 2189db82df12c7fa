// The manual: a page for each command, made of the description of the command line, and of the table of options
// for `sluice serve`. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "command_line.h"

namespace sluice::cli {

struct ManualPage {
  std::string command;  // empty for the program itself
  std::string file;     // "sluice-serve.1"
  std::string text;     // for man(1), as man(7) describes it
};

// The page of the program is the first one.
std::vector<ManualPage> manual_pages(const CommandWords& program);

// The options of `sluice serve` as a page in Markdown.
std::string reference_page();

}  // namespace sluice::cli
