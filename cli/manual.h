// The manual of `sluice serve`, made of the table of its options. Pure; any thread.
#pragma once

#include <string>

namespace sluice::cli {

// A page for man(1), as man(7) describes it.
std::string manual_page();
// The same as a page in Markdown.
std::string reference_page();

}  // namespace sluice::cli
