// A worker's connections without a worker: a table of them on a loop that a test turns, and one client.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "connection.h"

namespace sluice::test {

struct ConnectionFixture {
  static constexpr std::size_t kBufferSize = 32 * 1024;

  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  Router router;
  Limits limits;
  HttpDate date;
  BufferPool inputs{kBufferSize};
  BufferPool outputs{kBufferSize};
  ConnectionContext context{*loop, router, limits, stats, date, inputs, outputs};
  ConnectionTable table{context};
  UniqueFd client;

  ConnectionFixture() {
    for (const auto kind : {DeadlineKind::head, DeadlineKind::body, DeadlineKind::send, DeadlineKind::keepalive,
                            DeadlineKind::handler, DeadlineKind::linger}) {
      loop->deadlines().set_duration(kind, 60'000);
    }
  }
  ~ConnectionFixture() {
    table.close_all();
    loop->turn(0);
  }
  void connect() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    client.reset(ends[0]);
    table.accept(UniqueFd(ends[1]));
  }
  // By TCP, where the client keeps little for itself and the server's socket much.
  void connect_slow() {
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
    const int little = 4096;
    const int much = 1 << 20;
    ::setsockopt(client.get(), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
    REQUIRE(::connect(client.get(), generic, length) == 0);
    UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    REQUIRE(accepted);
    ::setsockopt(accepted.get(), SOL_SOCKET, SO_SNDBUF, &much, sizeof(much));
    table.accept(std::move(accepted));
  }
  void send(const std::string& bytes) {
    REQUIRE(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
    for (int i = 0; i < 3; ++i) loop->turn(0);
  }
  // What has arrived in one receive; empty when nothing, or at the end.
  std::string receive() {
    std::string bytes(256 * 1024, '\0');
    const ssize_t got = ::recv(client.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }
  bool at_end() {
    char byte = 0;
    return ::recv(client.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }
  std::string status_of(const std::string& request) {
    connect();
    send(request);
    const std::string answer = receive();
    return answer.size() > 12 ? answer.substr(9, 3) : "none";
  }
  template <typename Done>
  bool turn_until(Done done) {
    for (int i = 0; i < 300 && !done(); ++i) loop->turn(10);
    return done();
  }
};

}  // namespace sluice::test
