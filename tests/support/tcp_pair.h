// Both ends of a TCP connection within this machine. The server's end does not block.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "base/unique_fd.h"

namespace sluice::test {

struct TcpPair {
  // With a buffer of 0 the kernel chooses its size.
  explicit TcpPair(int client_receives = 0, int server_sends = 0) {
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener.get(), generic, length) == 0);
    REQUIRE(::listen(listener.get(), 1) == 0);
    REQUIRE(::getsockname(listener.get(), generic, &length) == 0);
    client.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    set(client, SOL_SOCKET, SO_RCVBUF, client_receives);
    REQUIRE(::connect(client.get(), generic, length) == 0);
    server.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    REQUIRE(server);
    set(server, IPPROTO_TCP, TCP_NODELAY, 1);  // as listeners have it
    set(server, SOL_SOCKET, SO_SNDBUF, server_sends);
  }
  static void set(const UniqueFd& socket, int level, int option, int value) {
    if (value != 0) ::setsockopt(socket.get(), level, option, &value, sizeof(value));
  }

  UniqueFd client;
  UniqueFd server;
};

}  // namespace sluice::test
