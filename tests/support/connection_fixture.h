// A worker's connections without a worker: a table of them on a loop that the test turns, and one client.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "connection/connection_table.h"
#include "connection/single_site.h"
#include "support/tcp_pair.h"

namespace sluice::test {

struct ConnectionFixture {
  static constexpr std::size_t kBufferSize = 32 * 1024;

  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  Router router;
  SingleSite site;
  Limits limits;
  HttpDate date;
  InputBuffers inputs{limits.head_bytes_max};
  BufferPool outputs{kBufferSize};
  ConnectionContext context{{*loop, router, site.sites, limits, stats}, date, inputs, outputs};
  ConnectionTable table{context};
  std::unique_ptr<Offload> offload = std::move(*Offload::create(*loop, {}));
  InstanceServices services{*loop, *offload, stats, table};
  UniqueFd client;
  UniqueFd server_end;  // of the last TCP connection, to ask the kernel about it

  ConnectionFixture() {
    for (const auto kind : {DeadlineKind::head, DeadlineKind::body, DeadlineKind::send, DeadlineKind::keepalive,
                            DeadlineKind::handler, DeadlineKind::linger}) {
      loop->deadlines().set_duration(kind, 60'000);
    }
  }
  ~ConnectionFixture() {
    table.close_all();
    router.clear();
    loop->turn(0);
    offload.reset();
    loop->turn(0);
  }
  void connect() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    client.reset(ends[0]);
    table.accept(UniqueFd(ends[1]), site.address);
  }
  // Connects by TCP. With a buffer of 0 the kernel chooses its size.
  void connect_tcp(int client_receives = 0, int server_sends = 0) {
    TcpPair pair(client_receives, server_sends);
    client = std::move(pair.client);
    server_end.reset(::dup(pair.server.get()));
    table.accept(std::move(pair.server), site.address);
  }
  // The client's buffer is small, and the server's socket has a large one.
  void connect_slow() { connect_tcp(4096, 1 << 20); }
  // Mounts the test module of that name at /NAME/.
  void mount(const std::string& name) {
    auto file = ModuleFile::load(SLUICE_TEST_MODULES "/" + name + ".so", name + ".so");
    REQUIRE(file);
    auto made = ModuleInstance::create_mounted(services, std::move(*file), InstanceRef(),
                                               {"/" + name + "/", {}, -1, ""});
    REQUIRE(made);
    REQUIRE(router.add(0, "/" + name + "/", std::move(*made)));
  }
  // Places the test module "filters" at the prefix, behind those that were placed before.
  void place_filter(const std::string& prefix, const std::string& way, const std::string& label = "f",
                    const std::string& to = "/") {
    auto file = ModuleFile::load(SLUICE_TEST_MODULES "/filters.so", "filters.so");
    REQUIRE(file);
    MountPlan plan{prefix, {{"way", way}, {"label", label}, {"to", to}}, -1, ""};
    plan.filter = true;
    auto made = ModuleInstance::create_mounted(services, std::move(*file), InstanceRef(), plan);
    REQUIRE(made);
    router.add_filter(0, prefix, std::move(*made));
  }
  void send(const std::string& bytes) {
    REQUIRE(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
    // On a busy machine a turn may end before its work does.
    for (int i = 0; i < 3 || (i < 300 && loop->has_ready()); ++i) loop->turn(0);
  }
  // The bytes of one receive; empty when none have arrived, and at the end.
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
    const std::uint64_t give_up_ms = monotonic_ms() + 20'000;
    while (!done() && monotonic_ms() < give_up_ms) loop->turn(10);
    return done();
  }
};

}  // namespace sluice::test
