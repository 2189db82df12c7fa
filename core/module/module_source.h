// Decides which files may become code of this server, by their owners. Only users whom the administrator has to
// trust anyway may own them.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "base/error.h"

namespace sluice {

constexpr std::int64_t kModuleBytesMax = 64 * 1024 * 1024;

// Refuses a file that others than its owner could have made or changed. `status` is that of the open file,
// because its name may stand for another file by now. `open_to_all`: everybody may put files into its folder.
Result<void> check_source(const struct stat& status, const std::string& file, bool open_to_all);

// Refuses a folder unless it belongs to root, to the server's own user, or to a user who could replace the
// server's program.
Result<void> check_modules_folder(const std::string& folder);
// Whether everybody may put files there and take them away. check_source refuses files of others by their
// owner.
bool is_open_to_all(const std::string& folder);
// Logs a warning if the folder is open to all.
void tell_of_open_folder(const std::string& folder);

}  // namespace sluice
