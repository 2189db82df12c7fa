// Files that this process may not read because it is confined, with how that can be allowed. Modes of files,
// which a grant does not change, are told apart from confinement.
//
// For sentences about what has failed already: it opens files, and waits for their disks. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

// Whether confinement alone keeps this process from reading the file or folder that is there.
bool is_confined_from(const std::string& path);

// `why` is the dynamic linker's sentence for an object that it could not load. If it misses a library that is
// there and cannot be read, returns which, and what to do; else nothing. The sentence continues "FILE cannot be
// loaded: ".
std::string unread_library(const std::string& object, std::string_view why);

// The same for the first path in a sentence by which a module refuses to start; it continues that sentence. The
// root of the file system is never one to grant.
std::string unread_path(std::string_view sentence, const std::string& module);

}  // namespace sluice
