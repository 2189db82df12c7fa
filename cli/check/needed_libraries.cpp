#include "check/needed_libraries.h"

#include <dlfcn.h>

#include <filesystem>
#include <set>
#include <string_view>

#include "base/text.h"

namespace sluice::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOrigin = "$ORIGIN";
constexpr std::string_view kOriginInBraces = "${ORIGIN}";

void replace_all(std::string& text, std::string_view what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

// The folders of the run path. With `beside`, only those that $ORIGIN stands in.
std::vector<std::string> run_folders(const ElfImage& image, const std::string& file, bool beside) {
  std::error_code error;
  const std::string origin = fs::canonical(file, error).parent_path().string();
  std::vector<std::string> folders;
  std::string_view left = image.run_path;
  while (!left.empty()) {
    std::string folder(take_part(left, ":"));
    const bool is_beside = folder.find("ORIGIN") != std::string::npos;
    if (folder.empty() || (beside && !is_beside)) continue;
    replace_all(folder, kOriginInBraces, origin);
    replace_all(folder, kOrigin, origin);
    folders.push_back(std::move(folder));
  }
  return folders;
}

// The path of a library in the first of the folders that has it; empty when none has.
std::string find_in(const std::vector<std::string>& folders, const std::string& name) {
  std::error_code error;
  for (const std::string& folder : folders) {
    if (fs::exists(fs::path(folder) / name, error)) return (fs::path(folder) / name).string();
  }
  return "";
}

// DT_RPATH also holds for the libraries of a library. The loader would look for these elsewhere.
void load_what_it_needs(const std::string& path, const std::vector<std::string>& folders,
                        std::set<std::string>& seen) {
  const auto image = read_elf(path, path);
  if (!image || !seen.insert(path).second) return;
  for (const std::string& name : image->needed) {
    const std::string found = find_in(folders, name);
    if (found.empty()) continue;
    load_what_it_needs(found, folders, seen);
    ::dlopen(found.c_str(), RTLD_LAZY | RTLD_LOCAL);
  }
}

NeededLibrary load(const std::string& name, const std::string& path) {
  NeededLibrary library{name, ::dlopen(path.empty() ? name.c_str() : path.c_str(), RTLD_LAZY | RTLD_LOCAL), ""};
  if (library.handle != nullptr) return library;
  const char* said = ::dlerror();
  library.error = said == nullptr ? "" : said;
  // "NAME: cannot open shared object file: No such file or directory"
  if (path.empty() && library.error.starts_with(name + ": cannot open")) library.error.clear();
  return library;
}

NeededLibrary load_from(const ElfImage& image, const std::vector<std::string>& folders,
                        const std::string& name) {
  const std::string path = name.find('/') == std::string::npos ? find_in(folders, name) : "";
  if (!path.empty() && image.hands_run_path_on) {
    std::set<std::string> seen;
    load_what_it_needs(path, folders, seen);
  }
  return load(name, path);
}

}  // namespace

std::vector<NeededLibrary> load_needed(const ElfImage& image, const std::string& file) {
  const std::vector<std::string> folders = run_folders(image, file, false);
  std::vector<NeededLibrary> libraries;
  for (const std::string& name : image.needed) libraries.push_back(load_from(image, folders, name));
  return libraries;
}

void load_beside(const ElfImage& image, const std::string& file) {
  const std::vector<std::string> folders = run_folders(image, file, true);
  for (const std::string& name : image.needed) {
    if (!find_in(folders, name).empty()) load_from(image, folders, name);
  }
}

}  // namespace sluice::cli
