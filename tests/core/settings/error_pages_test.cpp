#include "settings/error_pages.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/temp_folder.h"

using namespace sluice;
using Catch::Matchers::Contains;

namespace {

void write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("pages are found by the status in their names", "[error_pages]") {
  const test::TempFolder folder;
  write(folder / "404.html", "lost");
  write(folder / "500.html", "broken");
  write(folder / "200.html", "no error");
  write(folder / "404.txt", "no page");
  write(folder / "style.css", "");
  std::filesystem::create_directory(folder / "502");
  const auto pages = ErrorPages::read(folder.path);
  REQUIRE(pages);
  REQUIRE(pages->find(404) != nullptr);
  CHECK(*pages->find(404) == "lost");
  CHECK(*pages->find(500) == "broken");
  CHECK(pages->find(200) == nullptr);
  CHECK(pages->find(403) == nullptr);
}

TEST_CASE("a folder without pages is a mistake", "[error_pages]") {
  const test::TempFolder folder;
  const auto why = [](const std::string& path) {
    const auto pages = ErrorPages::read(path);
    REQUIRE_FALSE(pages);
    return pages.error().message;
  };
  CHECK_THAT(why(folder.path), Contains("has no page: name its files by their status, as in 404.html"));
  CHECK_THAT(why(folder / "none"), Contains("does not exist"));
  write(folder / "404.html", std::string(300'000, 'x'));
  CHECK_THAT(why(folder.path), Contains("404.html is larger than 256 KiB"));
}
