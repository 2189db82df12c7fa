#include "program.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <sstream>

#include "cli/scratch.h"
#include "serve_command.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

using Catch::Matchers::Contains;

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Outcome run(const std::vector<std::string>& arguments, std::map<std::string, std::string> variables = {}) {
  std::ostringstream out;
  std::ostringstream err;
  const int exit_code = run_program(arguments, environment_of(std::move(variables)), out, err);
  return {exit_code, out.str(), err.str()};
}

TEST_CASE("the version") {
  const Outcome outcome = run({"--version"});
  CHECK(outcome.exit_code == 0);
  // It stands in one place.
  std::ifstream file(SLUICE_SOURCE "/CMakeLists.txt");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string before = "project(sluice VERSION ";
  const std::size_t begin = text.find(before) + before.size();
  const std::string version = text.substr(begin, text.find(' ', begin) - begin);
  CHECK(std::count(version.begin(), version.end(), '.') == 2);
  CHECK(outcome.out == "sluice " + version + ", module ABI 1.2\n");
  CHECK(outcome.err.empty());
}

TEST_CASE("the help names every option with its default, in 80 columns") {
  const Outcome outcome = run({"serve", "--help"});
  CHECK(outcome.exit_code == 0);
  for (const char* text :
       {"What to serve:", "Where to listen:", "Modules:", "Time-outs (", "Limits (", "Process:", "--root DIR",
        "--listen ADDRESS", "[127.0.0.1:8080]", "--keepalive-timeout TIME", "[65s]", "--head-max SIZE", "[16k]",
        "--check", "SLUICE_HEAD_TIMEOUT", "TERM, INT and QUIT", "Examples:"}) {
    CHECK_THAT(outcome.out, Contains(text));
  }
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(line.size() <= 80);
  }
  CHECK_THAT(run({"--help"}).out, Contains("serve") && Contains("modules"));
}

TEST_CASE("without a command the help is shown as an error") {
  const Outcome outcome = run({});
  CHECK(outcome.exit_code == 106);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Contains("Usage: sluice"));
}

TEST_CASE("bad usage") {
  const Outcome unknown = run({"serve", "--bogus"});
  CHECK(unknown.exit_code == 109);
  CHECK(unknown.err == "sluice: '--bogus' is not known to sluice serve: see 'sluice serve --help'\n");
  CHECK(run({"serve", "--lisen=:0"}).err ==
        "sluice: '--lisen' is not known to sluice serve: did you mean '--listen'?\n");
  CHECK(run({"serve", "--lisen", ":0"}).err ==
        "sluice: '--lisen' is not known to sluice serve: did you mean '--listen'?\n");
  CHECK(run({"serve", "--port", "80"}).err ==
        "sluice: '--port' is not known to sluice serve: write 'sluice serve --listen 127.0.0.1:PORT', or "
        "'--listen *:PORT' for all addresses\n");
  CHECK(run({"serve", "-p", "80"}).err ==
        "sluice: '-p' is not known to sluice serve: write 'sluice serve --listen 127.0.0.1:PORT', or "
        "'--listen *:PORT' for all addresses\n");
  CHECK(run({"serve", "-t"}).err == "sluice: '-t' is not known to sluice serve: did you mean '--check'?\n");
  CHECK(run({"--port", "80"}).err ==
        "sluice: '--port' is not known to sluice: write 'sluice serve --listen 127.0.0.1:PORT', or "
        "'--listen *:PORT' for all addresses\n");
  CHECK(run({"serve", "8081"}).err ==
        "sluice: '8081' is not known to sluice serve: to listen there, write 'sluice serve --listen "
        "127.0.0.1:8081'\n");
  CHECK(
      run({"serve", "/tmp"}).err ==
      "sluice: '/tmp' is not known to sluice serve: to serve that folder, write 'sluice serve --root /tmp'\n");
  CHECK(run({"serv", "--listen", ":0"}).err ==
        "sluice: 'serv' is not known to sluice: did you mean 'serve'?\n");
  CHECK(run({"new", "hander", "mine"}).err ==
        "sluice: 'hander' is not known to sluice new: did you mean 'handler'?\n");
  CHECK(run({"serve", "\n"}).err ==
        "sluice: '\\x0a' is not known to sluice serve: see 'sluice serve --help'\n");
  CHECK(run({"serve", "/x/=hello"}).err ==
        "sluice: '/x/=hello' is not known to sluice serve: see 'sluice serve --help'\n");
  CHECK_THAT(run({"check", "--"}).err, Contains("FILE is required"));
  CHECK_THAT(run({"new", "handler", "--", "mine", "more"}).err,
             Catch::Matchers::StartsWith("sluice: 'more' is not known to"));
  CHECK(run({"serve", "--bogus", "--help"}).exit_code == 0);
  const Outcome missing = run({"serve", "--root"});
  CHECK(missing.exit_code == 114);
  CHECK_THAT(missing.err, Contains("--root: 1 required DIR missing"));
  const Outcome repeated = run({"serve", "--workers", "1", "--workers", "2"});
  CHECK(repeated.exit_code == 114);
  CHECK_THAT(repeated.err, Contains("--workers: At Most 1 required"));
  CHECK(run({"serve", "--listen", ":0", ":0"}).exit_code == 109);
}

TEST_CASE("words of other servers get a sentence that says what to write") {
  const auto says = [](const std::string& word) {
    const Outcome outcome = run({word});
    CHECK(outcome.exit_code != 0);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    const std::string beginning = "sluice: '" + word + "' is not known to sluice: ";
    return outcome.err.starts_with(beginning) ? outcome.err.substr(beginning.size()) : outcome.err;
  };
  CHECK(says("test") == "to try settings without serving, write 'sluice serve --config FILE --check'\n");
  CHECK(says("start") == "write 'sluice serve'; for the service, it is 'systemctl start sluice'\n");
  CHECK_THAT(says("restart"), Contains("'sluice reload'") && Contains("'systemctl restart sluice'"));
  CHECK_THAT(says("logs"), Contains("stderr") && Contains("'journalctl -u sluice'"));
  CHECK(says("quit") == "write 'sluice stop'\n");
  CHECK_THAT(says("reopen"), Contains("USR1"));
  // The same words elsewhere are no commands.
  CHECK(run({"serve", "test"}).err == "sluice: 'test' is not known to sluice serve: did you mean '--check'?\n");
  CHECK(run({"modules", "-p"}).err.find("--listen") == std::string::npos);
}

TEST_CASE("wrong settings give one sentence, and exit code 1") {
  const ScratchFolder scratch;
  const std::string root = scratch.folder("root");
  const std::string plugins = scratch.folder("plugins.d");
  const std::string file = scratch.file("file", "");
  const auto says = [](const std::vector<std::string>& arguments) {
    const Outcome outcome = run(arguments);
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.out.empty());
    return outcome.err;
  };
  CHECK(says({"serve", "--mount", "docs=m"}) ==
        "sluice: --mount: the mount 'docs=m' has the prefix 'docs': a prefix begins with '/', as in "
        "/docs/\n");
  CHECK(
      says({"serve", "--listen", "8080"}) ==
      "sluice: --listen: the address '8080' has no port: write 127.0.0.1:8080, or *:8080 for all addresses\n");
  CHECK(says({"serve", "--root", "/no/such", "--plugins", plugins, "--check"}) ==
        "sluice: the document root /no/such does not exist: make it, or name another one with --root\n");
  CHECK(says({"serve", "--root", file, "--plugins", plugins, "--check"}) ==
        "sluice: the document root " + file + " is not a folder: make it, or name another one with --root\n");
  CHECK(says({"serve", "--root", root, "--plugins", "/no/such", "--check"}) ==
        "sluice: the folder of modules /no/such does not exist: make it, or name another one with --plugins\n");
  CHECK(says({"serve", "--root", root, "--plugins", file, "--check"}) ==
        "sluice: the folder of modules " + file +
            " is not a folder: make it, or name another one with --plugins\n");
  CHECK(says({"serve", "--config", "/no/such"}) ==
        "sluice: the configuration file '/no/such' cannot be read: No such file or directory\n");
}

TEST_CASE("a sentence stays one line whatever was typed") {
  CHECK(run({"serve", "--workers", "1\n2"}).err ==
        "sluice: --workers: '1\\x0a2' is not a number of workers: write auto, or a number of 1 to 256\n");
}

TEST_CASE("listing a folder of modules") {
  const ScratchFolder scratch;
  const std::string folder = scratch.folder("plugins.d");
  const Outcome empty = run({"modules", "--plugins", folder});
  CHECK(empty.exit_code == 0);
  CHECK(empty.out == "there are no modules in '" + folder + "'\n");
  const Outcome missing = run({"modules", "--plugins", "/no/such"});
  CHECK(missing.exit_code == 1);
  CHECK_THAT(missing.err, Catch::Matchers::StartsWith("sluice: ") && Contains("/no/such"));
}

}  // namespace
