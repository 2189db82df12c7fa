#include "settings/error_pages.h"

#include <fmt/core.h>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/small_file.h"
#include "base/text.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPageMax = 256 * 1024;
constexpr std::string_view kHtml = ".html";

// The status in a page's name: 404 for 404.html.
std::optional<std::uint32_t> status_of(const fs::path& file) {
  if (file.extension() != kHtml) return std::nullopt;
  const auto status = parse_decimal(file.stem().string());
  if (!status || *status < 400 || *status > 599) return std::nullopt;
  return static_cast<std::uint32_t>(*status);
}

}  // namespace

Result<ErrorPages> ErrorPages::read(const std::string& folder) {
  ErrorPages pages;
  std::error_code error;
  const std::string subject = fmt::format("the folder of error pages {} ", folder);
  fs::directory_iterator files(folder, error);
  if (error == std::errc::no_such_file_or_directory)
    return fail(subject + "does not exist: make it, or remove the setting");
  if (error) return fail(subject + "cannot be read: " + error.message());
  for (; files != fs::directory_iterator(); files.increment(error)) {
    const auto status = status_of(files->path());
    if (!status) continue;
    const std::string path = files->path().string();
    auto page = SmallFile::open(path, "the error page " + path, kPageMax).and_then([&](const SmallFile& file) {
      // The reader may be root, and the file a link to what the server's user may not read.
      if (file.is_for_all()) return file.read();
      return Result<std::string>(
          fail("not all users may read the error page " + path + ": allow it (chmod o+r)"));
    });
    if (!page) return Unexpected(page.error());
    pages.pages_.emplace(*status, std::move(*page));
  }
  if (error) return fail(subject + "cannot be read: " + error.message());
  if (pages.pages_.empty())
    return fail(subject + "has no page: name its files by their status, as in 404.html");
  return pages;
}

const std::string* ErrorPages::find(std::uint32_t status) const {
  const auto found = pages_.find(status);
  return found == pages_.end() ? nullptr : &found->second;
}

}  // namespace sluice
