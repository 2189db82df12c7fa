// Whose files may become code of this server: nobody's whom its administrator does not trust anyway.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "base/error.h"

namespace sluice {

constexpr std::int64_t kModuleBytesMax = 64 * 1024 * 1024;

// Of the file that was opened, whatever its name stands for by now. `open_to_all`: strangers may put names
// beside it.
Result<void> check_source(const struct stat& status, const std::string& file, bool open_to_all);

// Refuses a folder that belongs to a stranger: neither root, nor the server's own user, nor whoever could
// replace the server's program.
Result<void> check_modules_folder(const std::string& folder);
// Everybody may put files there and take them away. What others may then put there is refused by its owner.
bool is_open_to_all(const std::string& folder);
// In the log, when it is so.
void tell_of_open_folder(const std::string& folder);

}  // namespace sluice
