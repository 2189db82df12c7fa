// What a server hands over, packed by one process and taken by the program that it becomes.
#include "process/handover.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

using namespace sluice;

TEST_CASE("nothing is taken where nothing is handed over", "[handover]") {
  ::unsetenv(Handover::kVariable);
  const auto none = Handover::take();
  REQUIRE(none);
  CHECK_FALSE(*none);
  for (const char* value : {"", "x", "1:2:3:4", "::::", "99999999999999999999:1:1:1"}) {
    CAPTURE(value);
    ::setenv(Handover::kVariable, value, 1);
    const auto other = Handover::take();
    REQUIRE(other);
    CHECK_FALSE(*other);
    CHECK(std::getenv(Handover::kVariable) == nullptr);
  }
}

TEST_CASE("what is handed over arrives whole", "[handover]") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  Handover handover;
  handover.channel.reset(ends[0]);
  const UniqueFd other(ends[1]);
  const UniqueFd one(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd two(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  handover.sockets = {{one.get(), "127.0.0.1:80", false}, {two.get(), "sluice.socket", true}};
  handover.ticket_keys = std::string("a\0b", 3);
  // This process is the one that takes, too: pass_on writes its own number.
  REQUIRE(handover.pass_on());
  const int channel = handover.channel.get();
  auto taken = Handover::take();
  REQUIRE(taken);
  REQUIRE(*taken);
  Handover& got = **taken;
  CHECK(got.channel.get() == channel);
  CHECK(got.from == ::getppid());
  CHECK(got.ticket_keys == handover.ticket_keys);
  REQUIRE(got.sockets.size() == 2);
  CHECK(got.sockets[0].text == "127.0.0.1:80");
  CHECK_FALSE(got.sockets[0].is_passed);
  CHECK(got.sockets[1].fd == two.get());
  CHECK(got.sockets[1].is_passed);
  got.wipe_keys();
  CHECK(got.ticket_keys.empty());
  static_cast<void>(got.channel.release());
}
