// `sluice new handler NAME`: writes the project of a new module. The program contains the files of
// cli/handler_template. One thread.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "base/error.h"
#include "option_texts.h"

namespace sluice::cli {

// Makes "WordCount" of "word_count" and of "word-count".
std::string class_name(std::string_view name);

// Whether the name is good for a module, and so for a folder, files and a class.
Result<void> check_handler_name(std::string_view name);

// Makes the folder, which must not exist, and writes the project into it.
Result<void> write_handler(const std::string& name, const std::string& folder);

// Returns the exit code.
int run_new_handler(const OptionTexts& command_line, std::ostream& out, std::ostream& err);

}  // namespace sluice::cli
