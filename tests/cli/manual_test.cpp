#include "manual.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "program.h"
#include "serve_options.h"
#include "support/server_process.h"

using namespace sluice;
using namespace sluice::cli;

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

std::string page_of(const std::string& command) {
  for (const ManualPage& page : manual_pages(describe_command_line())) {
    if (page.command == command) return page.text;
  }
  return "";
}

// The lines of a page with a command of man(7) that the pages have no use for.
std::string strange_commands(const std::string& page) {
  std::string strange;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    const std::string command = line.substr(0, line.find(' '));
    const bool is_command = line.starts_with('.') || line.starts_with('\'');
    if (is_command &&
        !std::set<std::string>{".TH", ".SH", ".SS", ".TP", ".B", ".br", ".nf", ".fi"}.contains(command))
      strange += line + "\n";
  }
  return strange;
}

TEST_CASE("every command has a page with all of its options") {
  const CommandWords program = describe_command_line();
  const auto pages = manual_pages(program);
  REQUIRE(pages.size() == program.commands.size() + 1);
  CHECK(pages.front().file == "sluice.1");
  for (const CommandWords& command : program.commands) {
    INFO(command.name);
    const std::string page = page_of(command.name);
    CHECK_THAT(page, Contains(".SH NAME\nsluice\\-" + command.name + " \\- "));
    for (const CommandWords::Option& option : command.options) {
      if (command.name == "serve" && find_serve_option(option.name.substr(2)) == nullptr) continue;  // --help
      std::string name = option.name.substr(2);
      for (std::size_t at = 0; (at = name.find('-', at)) != std::string::npos; at += 2)
        name.replace(at, 1, "\\-");
      CHECK_THAT(page, Contains("\\-\\-" + name));
    }
    CHECK_THAT(pages.front().text, Contains("\\fBsluice " + command.name + "\\fR"));
  }
}

TEST_CASE("pages say how a command is written, and what its words mean") {
  CHECK_THAT(page_of("explain"), Contains("\\fBsluice explain\\fR [\\fIOPTIONS\\fR] \\fIURL\\fR"));
  CHECK_THAT(page_of("explain"), Contains("\\fB\\-H, \\-\\-field\\fR \\fIFIELD\\fR"));
  CHECK_THAT(page_of("module"), Contains("\\fBsluice module disable\\fR [\\fIOPTIONS\\fR] \\fINAME\\fR"));
  CHECK_THAT(page_of("manual"), Contains("[\\fICOMMAND\\fR]"));
  CHECK_THAT(page_of("check"), Contains(".SH NOTES\n.nf\nThe module is loaded"));
  CHECK_THAT(page_of("serve"), Contains(".TP\n\\fB\\-\\-head\\-timeout TIME\\fR\n"));
  CHECK_THAT(page_of(""), Contains("sluice\\-explain(1)"));
}

TEST_CASE("the pages for man have no line that man takes for a command of its own") {
  for (const ManualPage& page : manual_pages(describe_command_line())) {
    INFO(page.file);
    CHECK(strange_commands(page.text).empty());
  }
}

TEST_CASE("pages are printed one at a time, or written into a folder") {
  const auto print = [](const std::vector<std::string>& arguments) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = run_program(arguments, Environment({}), out, err);
    return std::to_string(code) + out.str() + err.str();
  };
  CHECK(print({"manual"}) == "0" + page_of(""));
  CHECK(print({"manual", "serve"}) == "0" + page_of("serve"));
  CHECK(print({"manual", "fetch"}) == "1sluice: 'fetch' is no command of sluice: see 'sluice --help'\n");
  const test::ScratchFolder scratch;
  CHECK(print({"manual", "--folder", scratch.path()}) == "0");
  for (const ManualPage& page : manual_pages(describe_command_line())) {
    std::ifstream file(scratch.path(page.file));
    CHECK(std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>()) == page.text);
  }
  CHECK(print({"manual", "--folder", scratch.path("nowhere")}) ==
        "1sluice: cannot write " + scratch.path("nowhere/sluice.1") +
            ": make the folder, or name another one: No such file or directory\n");
}

}  // namespace
