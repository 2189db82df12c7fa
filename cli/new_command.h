// `sluice new KIND NAME`: writes the project of a new module. The program contains the files of cli/templates.
// One thread.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "option_texts.h"

namespace sluice::cli {

// A kind of module that can be begun.
struct NewKind {
  const char* name;   // "handler", also of its template
  const char* about;  // for the help
};
std::span<const NewKind> new_kinds();

// Makes "WordCount" of "word_count" and of "word-count".
std::string class_name(std::string_view name);

// Whether the name is good for a module, and so for a folder, files and a class.
Result<void> check_module_name(std::string_view name);

// Makes the folder, which must not exist, and writes the project into it.
Result<void> write_module(std::string_view kind, const std::string& name, const std::string& folder);

// Returns the exit code.
int run_new(const OptionTexts& command_line, std::ostream& out, std::ostream& err);

}  // namespace sluice::cli
