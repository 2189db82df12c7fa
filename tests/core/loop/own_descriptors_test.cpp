// The descriptors that a worker needs: their loss is noticed, and forked processes give them up.
#include "loop/own_descriptors.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "base/unique_fd.h"

using namespace sluice;
using Catch::Matchers::Contains;

namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

UniqueFd listening_socket(sockaddr_in& address) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(::listen(socket.get(), 8) == 0);
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  return socket;
}

}  // namespace

TEST_CASE("a descriptor that was closed or replaced is reported", "[own_descriptors]") {
  OwnDescriptors own;
  sockaddr_in address{};
  UniqueFd first(::eventfd(0, EFD_CLOEXEC));
  const UniqueFd second = listening_socket(address);
  own.add(first.get(), "the first one");
  own.add(second.get(), "the second one");
  CHECK(own.trouble().empty());
  const int other = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(::dup3(other, second.get(), O_CLOEXEC) == second.get());
  CHECK_THAT(own.trouble(), Contains("the second one (number ") && Contains(") was replaced by another file"));
  own.remove(second.get());
  CHECK(own.trouble().empty());
  first.reset();
  CHECK_THAT(own.trouble(), Contains("the first one (number ") && Contains(") was closed"));
  ::close(other);
}

TEST_CASE("a forked process gives up listening sockets and their connections, and nothing else",
          "[own_descriptors]") {
  OwnDescriptors own;
  sockaddr_in address{};
  const UniqueFd listening = listening_socket(address);
  own.add(listening.get(), "a listening socket");
  sockaddr_in elsewhere{};
  const UniqueFd others = listening_socket(elsewhere);
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  const UniqueFd accepted(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  REQUIRE(accepted);
  const pid_t child = ::fork();
  if (child == 0) {
    own.give_up_in_child();
    ::_exit((is_open(listening.get()) ? 1 : 0) + (is_open(accepted.get()) ? 2 : 0) +
            (is_open(others.get()) ? 0 : 4) + (is_open(client.get()) ? 0 : 8));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
