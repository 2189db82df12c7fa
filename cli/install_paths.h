// Where an installed sluice finds its modules: relative to the program's own file, so that the installation
// may be moved as a whole. No state; any thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sluice::cli {

// The running program's file. Its folder is right even if the file has been replaced meanwhile.
std::filesystem::path running_program();

// The folder of modules that was installed with this program, and before it the administrator's own, if there
// is one: /etc/sluice/plugins.d, or below the prefix for another prefix than /usr. Nothing if none was
// installed, as in a build folder.
std::vector<std::string> installed_plugins(const std::filesystem::path& program);

}  // namespace sluice::cli
