// Where an installed sluice finds its modules: by the place of the program itself, so that the whole may be
// moved. No state; any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace sluice::cli {

// The program that runs. Its folder is right also when its file has been replaced meanwhile.
std::filesystem::path running_program();

// The folder of modules that was installed with this program; nothing when there is none, as where it was
// built.
std::optional<std::string> installed_plugins(const std::filesystem::path& program);

}  // namespace sluice::cli
