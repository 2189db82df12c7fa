// What shells complete, with the scripts that the program prints.
#include "completions.h"

#include <catch2/catch.hpp>
#include <set>
#include <sstream>
#include <string>

#include "program.h"
#include "serve_options.h"
#include "support/server_process.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

using Catch::Matchers::Contains;
using Words = std::set<std::string>;

std::string printed(const std::string& shell) {
  std::ostringstream out;
  std::ostringstream err;
  CHECK(run_program({"completions", shell}, Environment({}), out, err) == 0);
  CHECK(err.str().empty());
  return out.str();
}

// What bash offers for the last of these words. Bash takes them apart as its readline does.
Words offered(const std::string& words, const std::string& folder = "") {
  const test::ScratchFolder scratch;
  scratch.write("sluice", printed("bash"));
  const std::string script =
      "source " + scratch.path("sluice") + "; COMP_WORDS=(" + words +
      "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sluice; printf '%s\n' \"${COMPREPLY[@]}\"";
  const test::Outcome outcome = test::run({"bash", "-uc", script}, {}, folder);
  CHECK(outcome.code == 0);
  CHECK(outcome.err.empty());
  Words all;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) all.insert(line);
  }
  return all;
}

TEST_CASE("bash completes commands, options and values") {
  CHECK(offered("sluice ser") == Words{"serve"});
  CHECK(offered("sluice mod") == Words{"module", "modules"});
  CHECK(offered("sluice serve --acc") == Words{"--access-log", "--access-log-format"});
  CHECK(offered("sluice serve --access-log-format ''") == Words{"combined", "json"});
  CHECK(offered("sluice serve --access-log-format = j") == Words{"json"});
  CHECK(offered("sluice serve --access-log-format =") == Words{"combined", "json"});
  CHECK(offered("sluice serve --user ''").empty());
  CHECK(offered("sluice module ''").contains("enable"));
  CHECK(offered("sluice module enable --con") == Words{"--control"});
  CHECK(offered("sluice completions ''").contains("zsh"));
  // A value that is written as a command is none.
  CHECK(offered("sluice serve --root status --acc") == Words{"--access-log", "--access-log-format"});
  CHECK(offered("sluice status --acc").empty());
  CHECK(offered("sluice serve --bogus").empty());
}

TEST_CASE("bash completes files and folders where those are meant") {
  const test::ScratchFolder scratch;
  scratch.write("two words.toml", "");
  scratch.make_folder("folder");
  CHECK(offered("sluice serve --config ''", scratch.path()) == Words{"two words.toml", "folder"});
  CHECK(offered("sluice serve --root ''", scratch.path()) == Words{"folder"});
  CHECK(offered("sluice serve --access-log ''", scratch.path()) ==
        Words{"two words.toml", "folder", "stdout", "off"});
  CHECK(offered("sluice check tw", scratch.path()) == Words{"two words.toml"});
}

TEST_CASE("both shells know every option of the command line") {
  const std::string bash = printed("bash");
  const std::string zsh = printed("zsh");
  for (const ServeOption& option : serve_options()) {
    INFO(option.name);
    const std::string flag = std::string("--") + option.name;
    CHECK((bash.find(flag + " ") != std::string::npos) == is_on_command_line(option));
    CHECK((zsh.find(flag + (option.takes == Takes::flag ? "[" : "=[")) != std::string::npos) ==
          is_on_command_line(option));
  }
  CHECK_THAT(zsh, Contains("'*--listen=[") && Contains(":ADDRESS: '"));
  CHECK_THAT(zsh, Contains("'stop:Make the running server finish"));
}

TEST_CASE("zsh reads its script") {
  if (test::run({"zsh", "--version"}).code != 0) {
    WARN("SKIPPED: there is no zsh");
    return;
  }
  const test::ScratchFolder scratch;
  scratch.write("_sluice", printed("zsh"));
  // Stands for the completion system, and prints what it is given.
  const std::string script =
      "_arguments() { print -rl -- \"$@\"; state=$next; line=(serve) }; _describe() { print -rl -- ${(P)2} }; ";
  const auto said = [&](const std::string& state) {
    const auto outcome =
        test::run({"zsh", "-fc", script + "next=" + state + "; source " + scratch.path("_sluice")});
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    return outcome.out;
  };
  CHECK_THAT(said("command"), Contains("serve:Serve files, and whatever other modules offer\n"));
  CHECK_THAT(said("argument"),
             Contains("--access-log-format=[") && Contains(":combined|json:(combined json)\n"));
  CHECK_THAT(said("argument"), Contains("\n--root=[") && Contains(":DIR:_files -/\n"));
}

TEST_CASE("other shells are refused by one sentence") {
  std::ostringstream out;
  std::ostringstream err;
  CHECK(run_program({"completions", "fish"}, Environment({}), out, err) != 0);
  CHECK(err.str() == "sluice: 'fish' is not known to sluice completions: see 'sluice completions --help'\n");
}

}  // namespace
