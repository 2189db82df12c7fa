// Which server a command is sent to, and the error when there is none or more than one.
#include "control_command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <iterator>
#include <sstream>

#include "cli/scratch.h"
#include "command_line.h"
#include "control/control_server.h"
#include "program.h"
#include "serve_request.h"

using namespace sluice;
using namespace sluice::cli;

namespace {

using Catch::Matchers::Contains;
using Variables = std::map<std::string, std::string>;

std::string refusal(const std::vector<std::string>& arguments, const Variables& variables) {
  std::ostringstream out;
  std::ostringstream err;
  CHECK(run_program(arguments, environment_of(variables), out, err) == 1);
  CHECK(out.str().empty());
  return err.str();
}

std::string folder_of(const Variables& variables) {
  const auto settings = read_control_settings({}, environment_of(variables));
  REQUIRE(settings);
  return settings->control_folder;
}

TEST_CASE("without a server the error says how to start or name one") {
  const ScratchFolder scratch;
  const std::string folder = scratch.folder("run");
  for (const char* command : {"reload", "stop", "status", "metrics"}) {
    CHECK(refusal({command}, {{"RUNTIME_DIRECTORY", folder}}) ==
          "sluice: no server of yours has a control socket in " + folder +
              ": start one with 'sluice serve', or name its socket with --control PATH\n");
  }
  CHECK(refusal({"status", "--control", scratch.path("x")}, {}) ==
        "sluice: no server is running at the control socket " + scratch.path("x") +
            ": start one with 'sluice serve --control " + scratch.path("x") + "', or name another socket\n");
  CHECK_THAT(refusal({"status"}, {{"SLUICE_CONTROL", scratch.path("y")}}), Contains(scratch.path("y")));
}

TEST_CASE("a folder that cannot be trusted is refused") {
  const ScratchFolder scratch;
  const std::string folder = scratch.folder("run");
  REQUIRE(::chmod(folder.c_str(), 0777) == 0);
  CHECK_THAT(refusal({"status"}, {{"RUNTIME_DIRECTORY", folder}}),
             Contains(folder + " of control sockets is not safe"));
}

TEST_CASE("with several servers one has to be named") {
  WorkerStats stats;
  const auto loop = std::move(*EventLoop::create(stats));
  const ScratchFolder scratch;
  const std::string folder = scratch.folder("run");
  const auto one = ControlServer::open(*loop, folder + "/1.sock", {});
  const auto two = ControlServer::open(*loop, folder + "/2.sock", {});
  REQUIRE((one && two));
  CHECK(refusal({"status"}, {{"RUNTIME_DIRECTORY", folder}}) ==
        "sluice: 2 servers are running: say which one by --control " + folder + "/1.sock or --control " +
            folder + "/2.sock\n");
}

TEST_CASE("where control sockets are") {
  CHECK(folder_of({{"RUNTIME_DIRECTORY", "/run/a:/run/b"}}) == "/run/a");
  if (::geteuid() == 0) {
    CHECK(folder_of({{"XDG_RUNTIME_DIR", "/run/user/0"}}) == "/run/sluice");
  } else {
    CHECK(folder_of({{"XDG_RUNTIME_DIR", "/run/user/7"}}) == "/run/user/7/sluice");
    CHECK(folder_of({}) == "/tmp/sluice-" + std::to_string(::geteuid()));
  }
}

TEST_CASE("the command line has every command of a running server") {
  for (const ControlCommandLine& command : control_commands()) {
    std::istringstream said(command.name);
    std::vector<std::string> words{std::istream_iterator<std::string>(said), {}};
    words.insert(words.end(), {"--control", "/x"});
    if (command.argument != nullptr) words.emplace_back("argument");
    const CommandLine line = parse_command_line(words);
    CHECK(line.command == CommandLine::Command::control);
    CHECK(line.request == std::string(command.name) + (command.argument == nullptr ? "" : " argument"));
    CHECK(line.given.at("control").front().text == "/x");
    if (command.as_json == nullptr) continue;
    words.emplace_back("--json");
    CHECK(parse_command_line(words).request == command.as_json);
  }
}

}  // namespace
