#include "manual.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "serve_options.h"

namespace sluice::cli {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("the reference in the repository is the one that the program prints") {
  std::ifstream file(SLUICE_SOURCE "/cli/REFERENCE.md");
  const std::string kept((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  INFO("make it anew: sluice manual --markdown >cli/REFERENCE.md");
  CHECK(kept == reference_page());
}

TEST_CASE("every option stands in the manual, where it may be given") {
  const std::string page = reference_page();
  for (const ServeOption& option : serve_options())
    CHECK_THAT(page, Contains(std::string("`") + (option.given == Given::in_site ? "" : "--") + option.name));
  CHECK_THAT(page, Contains("`--root, SLUICE_ROOT, root in the file and in [[site]]`"));
  CHECK_THAT(page, Contains("`names in [[site]]`"));
}

TEST_CASE("the page for man has no line that man takes for a command of its own") {
  const std::string page = manual_page();
  for (const char* part :
       {".TH SLUICE 1", ".SH NAME\nsluice \\- serve files", ".SH OPTIONS", "\\-\\-head\\-timeout TIME"})
    CHECK_THAT(page, Contains(part));
  for (std::size_t line = 0; line != std::string::npos;
       line = page.find('\n', line) == std::string::npos ? std::string::npos : page.find('\n', line) + 1) {
    if (line >= page.size() || page[line] != '.') continue;
    const std::string command = page.substr(line, page.find_first_of(" \n", line) - line);
    INFO(command);
    CHECK_THAT(command, Catch::Matchers::Matches("\\.(TH|SH|SS|TP|B|br|nf|fi)"));
  }
}

}  // namespace
}  // namespace sluice::cli
