// Changes texts in a shared object's dynamic section: the libraries that it needs, its run paths, its own name.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace sluice {

// Returns the replacement for a text, or nullopt to keep it. Called for DT_NEEDED, DT_SONAME, DT_RPATH and
// DT_RUNPATH.
using TextEdit = std::function<std::optional<std::string>(std::int64_t tag, const std::string& text)>;

// Returns the file's bytes with these changes. Replacements may be longer: all texts move to a new segment at
// the file's end. Its header replaces that of a segment with notes, such as the build ID. The error continues
// "FILE ". REQUIRES: ElfFile::is_whole.
Result<std::string> edit_dynamic_texts(std::string bytes, const TextEdit& edit);

}  // namespace sluice
