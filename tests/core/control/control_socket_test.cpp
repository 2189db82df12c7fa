// Which folders of control sockets are trusted, and at which of their sockets a server listens.
#include "control/control_socket.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "control/control_server.h"
#include "support/temp_folder.h"

using namespace sluice;
using sluice::test::TempFolder;

TEST_CASE("a folder is made for its user alone", "[control]") {
  const TempFolder scratch;
  const std::string folder = scratch / "run";
  CHECK_FALSE(check_control_folder(folder));
  CHECK(prepare_control_folder(folder));
  CHECK(std::filesystem::status(folder).permissions() == std::filesystem::perms::owner_all);
  CHECK(prepare_control_folder(folder));
  CHECK(check_control_folder(folder));
}

TEST_CASE("a folder that others can write to, or can exchange, is not trusted", "[control]") {
  const TempFolder scratch;
  const std::string folder = scratch / "run";
  REQUIRE(prepare_control_folder(folder));
  ::chmod(folder.c_str(), 0777);
  const auto open_to_all = prepare_control_folder(folder);
  REQUIRE_FALSE(open_to_all);
  CHECK(open_to_all.error().message.find("is not safe") != std::string::npos);
  ::chmod(folder.c_str(), 0755);
  CHECK(prepare_control_folder(folder));
  std::filesystem::create_directory_symlink(folder, scratch / "link");
  CHECK_FALSE(prepare_control_folder(scratch / "link"));
  scratch.write("file", "");
  CHECK_FALSE(prepare_control_folder(scratch / "file"));
}

TEST_CASE("running servers are distinguished from killed ones", "[control]") {
  WorkerStats stats;
  const auto loop = std::move(*EventLoop::create(stats));
  const TempFolder folder;
  CHECK(running_servers(folder / "missing").empty());
  const auto one = ControlServer::open(*loop, folder / "1.sock", {});
  const auto two = ControlServer::open(*loop, folder / "2.sock", {});
  auto killed = ControlServer::open(*loop, folder / "3.sock", {});
  REQUIRE((one && two && killed));
  (*killed)->close_for_child();
  folder.write("4.sock", "no socket");
  CHECK(running_servers(folder.path) == std::vector<std::string>{folder / "1.sock", folder / "2.sock"});
  CHECK_FALSE(std::filesystem::exists(folder / "3.sock"));
}

TEST_CASE("another program's sockets are not taken for servers", "[control]") {
  WorkerStats stats;
  const auto loop = std::move(*EventLoop::create(stats));
  const TempFolder folder;
  for (const char* name : {"agent.sock", "1a.sock", ".sock"}) {
    const auto running = ControlServer::open(*loop, folder / name, {});
    REQUIRE(running);
    CHECK(running_servers(folder.path).empty());
    (*running)->close_for_child();
    CHECK(running_servers(folder.path).empty());
    CHECK(std::filesystem::exists(folder / name));
  }
}

TEST_CASE("root may ask any user's server, but puts its own socket in no user's folder", "[control]") {
  if (::geteuid() != 0) return;
  const TempFolder scratch;
  const std::string folder = scratch / "run";
  REQUIRE(prepare_control_folder(folder));
  REQUIRE(::chown(folder.c_str(), 12345, 12345) == 0);
  CHECK(check_control_folder(folder));
  CHECK_FALSE(prepare_control_folder(folder));
  ::chmod(folder.c_str(), 0770);
  CHECK_FALSE(check_control_folder(folder));
}

TEST_CASE("the error says when no server listens", "[control]") {
  const TempFolder folder;
  CHECK(connect_control(folder / "none.sock").error().message ==
        "no server is running at the control socket " + (folder / "none.sock") +
            ": start one with 'sluice serve --control " + (folder / "none.sock") + "', or name another socket");
  CHECK(connect_control(std::string(200, 'x')).error().message.find("1 to 107 bytes") != std::string::npos);
  CHECK_FALSE(connect_control(""));
}
