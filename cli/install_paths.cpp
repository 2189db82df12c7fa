#include "install_paths.h"

#include <system_error>

namespace sluice::cli {

namespace fs = std::filesystem;

fs::path running_program() {
  std::error_code ignored;  // without /proc there is no path, and no modules beside it
  return fs::read_symlink("/proc/self/exe", ignored);
}

std::vector<std::string> installed_plugins(const fs::path& program) {
  const fs::path folder = (program.parent_path() / SLUICE_PLUGINS_FROM_PROGRAM).lexically_normal();
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return {};
  const fs::path prefix = program.parent_path().parent_path();
  const fs::path own = (prefix == "/usr" ? fs::path("/") : prefix) / "etc/sluice/plugins.d";
  if (!fs::is_directory(own, ignored)) return {folder.string()};
  return {own.string(), folder.string()};
}

}  // namespace sluice::cli
