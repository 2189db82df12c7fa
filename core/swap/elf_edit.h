// A shared object's dynamic texts under other names: which libraries it needs, where they are looked for, what
// it is called itself.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace sluice {

// What is to stand there instead of the text; nothing to leave it. Asked for DT_NEEDED, DT_SONAME, DT_RPATH and
// DT_RUNPATH.
using TextEdit = std::function<std::optional<std::string>(std::int64_t tag, const std::string& text)>;

// The file's bytes with these changes, of any length: the texts move to a segment of their own at its end, for
// which the one that holds notes (a build's number) gives up its place. The error continues "FILE ". REQUIRES:
// ElfFile::is_whole.
Result<std::string> edit_dynamic_texts(std::string bytes, const TextEdit& edit);

}  // namespace sluice
