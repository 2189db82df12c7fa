// The clients that wait for a running server's end.
#include "control/control_commands.h"

#include <poll.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "control/control_socket.h"
#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::TempFolder;

namespace {

constexpr int kWaitMs = 10'000;

struct Rig {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  TempFolder folder;
  std::string path = folder / "1.sock";
  bool reload_wanted = false;
  bool stop_wanted = false;
  ControlCommands commands;

  explicit Rig(ControlTimes times = {}) {
    Settings settings;
    settings.control = path;
    ControlCommands::Actions actions;
    actions.want_reload = [this] { reload_wanted = true; };
    actions.stop = [this] { stop_wanted = true; };
    REQUIRE(commands.open(*loop, settings, actions, times));
  }

  // Serves until the command has come.
  UniqueFd ask(const std::string& line, const bool& wanted) const {
    auto client = connect_control(path);
    REQUIRE(client);
    REQUIRE(::send(client->get(), line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size()));
    for (int i = 0; i < 100 && !wanted; ++i) loop->turn(kWaitMs / 100);
    REQUIRE(wanted);
    return std::move(*client);
  }
};

bool hears(const UniqueFd& client) {
  pollfd wanted{client.get(), POLLIN, 0};
  return ::poll(&wanted, 1, 0) > 0;
}

std::string answer(const UniqueFd& client) {
  char text[100];
  const ssize_t got = ::recv(client.get(), text, sizeof(text), MSG_DONTWAIT);
  return got < 0 ? "nothing yet" : std::string(text, static_cast<std::size_t>(got));
}

}  // namespace

TEST_CASE("a client waits for the end without the limit of other commands", "[control]") {
  Rig rig(ControlTimes{300, 300, 10});
  const UniqueFd stopper = rig.ask("stop\n", rig.stop_wanted);
  const UniqueFd other = rig.ask("reload\n", rig.reload_wanted);
  for (int i = 0; i < 100 && !hears(other); ++i) rig.loop->turn(kWaitMs / 100);
  CHECK(answer(other).empty());  // its limit began later, and is over
  CHECK(answer(stopper) == "nothing yet");
  rig.commands.server_ended();
  CHECK(answer(stopper) == "ok\nstopped\n");
}

TEST_CASE("who hears of the end can use the path of the control socket again", "[control]") {
  Rig rig;
  const UniqueFd stopper = rig.ask("stop\n", rig.stop_wanted);
  rig.commands.server_ended();
  CHECK(answer(stopper) == "ok\nstopped\n");
  CHECK_FALSE(std::filesystem::exists(rig.path));
  CHECK(ControlServer::open(*rig.loop, rig.path, {}));
}

TEST_CASE("a server without a control socket ends, too", "[control]") {
  const Rig rig;
  ControlCommands none;
  REQUIRE(none.open(*rig.loop, Settings(), {}));
  none.server_ended();
  CHECK(std::filesystem::exists(rig.path));
}
