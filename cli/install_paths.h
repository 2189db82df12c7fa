// Where an installed sluice finds its modules: relative to the program's own file, so that the installation
// may be moved as a whole. No state; any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace sluice::cli {

// The running program's file. Its folder is right even if the file has been replaced meanwhile.
std::filesystem::path running_program();

// The folder of modules that was installed with this program. Nothing if there is none, as in a build folder.
std::optional<std::string> installed_plugins(const std::filesystem::path& program);

}  // namespace sluice::cli
