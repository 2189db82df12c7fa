// `sluice new handler NAME`: writes the project of a new module from the files of cli/handler_template, which
// are part of the program. One thread.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "base/error.h"
#include "option_texts.h"

namespace sluice::cli {

// "word_count" and "word-count" give "WordCount".
std::string class_name(std::string_view name);

// Whether a module, and with it a folder, files and a class, can have that name.
Result<void> check_handler_name(std::string_view name);

// Makes the folder, which must not exist, and writes the project of that handler into it.
Result<void> write_handler(const std::string& name, const std::string& folder);

// Returns the exit code.
int run_new_handler(const OptionTexts& command_line, std::ostream& out, std::ostream& err);

}  // namespace sluice::cli
