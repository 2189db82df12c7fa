// TLS over a transport whose socket takes and gives what the test wants.
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <thread>

#include "base/monotonic_clock.h"
#include "settings/certificate.h"
#include "support/server_process.h"
#include "support/tcp_pair.h"
#include "support/temp_folder.h"
#include "support/tls_address.h"
#include "support/tls_client.h"
#include "transport/socket_calls.h"
#include "transport/tls_link.h"
#include "transport/transport.h"

using namespace sluice;

namespace {

// Lets the socket take and give a few bytes a call, and nothing in every third one.
struct NarrowSocket {
  static inline const SocketCalls kKernel = socket_calls;
  static inline std::size_t width = 0;
  static inline unsigned calls = 0;

  explicit NarrowSocket(std::size_t bytes) {
    width = bytes;
    socket_calls.send = [](int socket, const iovec* pieces, int, int flags) -> ssize_t {
      if (++calls % 3 == 0) {
        errno = EAGAIN;
        return -1;
      }
      const iovec part{pieces->iov_base, std::min(pieces->iov_len, width)};
      return kKernel.send(socket, &part, 1, flags);
    };
    socket_calls.receive = [](int socket, char* buffer, std::size_t size) -> ssize_t {
      if (++calls % 3 == 0) {
        errno = EAGAIN;
        return -1;
      }
      return kKernel.receive(socket, buffer, std::min(size, width));
    };
  }
  ~NarrowSocket() { socket_calls = kKernel; }
};

// Lets the socket take so many bytes, and then no more.
struct FillingSocket {
  static inline const SocketCalls kKernel = socket_calls;
  static inline std::size_t room = 0;

  FillingSocket() {
    room = 0;
    socket_calls.send = [](int socket, const iovec* pieces, int, int flags) -> ssize_t {
      if (room == 0) {
        errno = EAGAIN;
        return -1;
      }
      const iovec part{pieces->iov_base, std::min(pieces->iov_len, room)};
      const ssize_t sent = kKernel.send(socket, &part, 1, flags);
      if (sent > 0) room -= static_cast<std::size_t>(sent);
      return sent;
    };
  }
  ~FillingSocket() { socket_calls = kKernel; }
};

struct Waiter final : Ready {
  void on_ready() override { ++called; }
  int called = 0;
};

// The client's thread may not run for a while on a busy machine.
struct Patience {
  const std::uint64_t until_ns = monotonic_ns() + 20'000'000'000;
  bool lasts() const { return monotonic_ns() < until_ns; }
};

struct Fixture {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  std::unique_ptr<Offload> offload = std::move(*Offload::create(*loop, {}));
  test::TlsAddress address{{*make_self_signed({})}};
  TlsServices services = address.services(*loop, *offload);
  test::TcpPair pair;
  Waiter waiter;
  int socket = pair.server.get();
  Transport transport{std::move(pair.server), &services};
  std::thread client;
  std::string answer;
  bool ended_in_order = false;

  ~Fixture() {
    transport.close();
    if (client.joinable()) client.join();
  }
  void run_client(const std::string& request) {
    client = std::thread([this, request, socket = pair.client.release()] {
      test::TlsClient tls(socket, {});
      tls.send(request);
      answer = tls.read_all();
      ended_in_order = tls.ended_in_order();
    });
  }
  Transport::Handshake shake_hands() {
    for (const Patience patience; patience.lasts();) {
      bool input_ready = true;
      const auto progress = transport.shake_hands(waiter, input_ready);
      if (progress != Transport::Handshake::needs_bytes && progress != Transport::Handshake::needs_room) {
        return progress;
      }
      std::this_thread::yield();
    }
    return Transport::Handshake::lost;
  }
  std::string receive(std::size_t size) {
    std::string all;
    char buffer[100];
    for (const Patience patience; patience.lasts() && all.size() < size;) {
      const Moved moved = transport.receive(buffer, sizeof(buffer));
      all.append(buffer, moved.size);
      REQUIRE((moved.status != Io::lost || all.size() >= size));
      if (moved.size == 0) std::this_thread::yield();
    }
    return all;
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const iovec pieces[2] = {
          {const_cast<char*>(bytes.data()), bytes.size() / 3},
          {const_cast<char*>(bytes.data()) + bytes.size() / 3, bytes.size() - bytes.size() / 3}};
      const Moved moved = transport.send(pieces, 2, false);
      REQUIRE(moved.status != Io::lost);
      bytes.remove_prefix(moved.size);
      if (moved.size == 0) std::this_thread::yield();
    }
  }
  void send_last(std::string_view bytes) {
    Moved moved = transport.send_last(bytes);
    while (moved.status == Io::full) {
      bytes.remove_prefix(moved.size);
      moved = transport.send_last(bytes);
    }
    REQUIRE(moved.status == Io::ok);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "bytes pass whole, however little the socket moves at once", "[tls_transport]") {
  const std::size_t width = GENERATE(1u, 7u, 1000u, 100'000u);
  CAPTURE(width);
  const NarrowSocket narrow(width);
  const std::string request(5'000, 'r');
  std::string content;
  for (int i = 0; i < 40'000; ++i) content += std::to_string(i);
  if (width == 1) content.resize(10'000);
  run_client(request);
  REQUIRE(shake_hands() == Transport::Handshake::done);
  CHECK_FALSE(transport.sends_files());
  CHECK(receive(request.size()) == request);
  send(content);
  send_last("the end");
  transport.finish_sending();
  client.join();
  CHECK(answer == content + "the end");
  CHECK(ended_in_order);
  CHECK(stats.tls_handshakes.get() == 1);
}

TEST_CASE_METHOD(Fixture, "less is kept for a client that has just left something", "[tls_transport]") {
  run_client("request");
  REQUIRE(shake_hands() == Transport::Handshake::done);
  REQUIRE(receive(7) == "request");
  const std::string content(1024 * 1024, 'c');
  const iovec piece{const_cast<char*>(content.data()), content.size()};
  std::uint64_t taken = 0;
  {
    const FillingSocket filling;
    Moved moved = transport.send(&piece, 1, false);
    CHECK(moved.status == Io::full);
    CHECK(moved.size == 128 * 1024);
    taken = moved.size;
    CHECK(transport.send(&piece, 1, false).size == 0);
    // The socket takes all that was kept, in calls of the kernel, and a part of the next portion.
    FillingSocket::room = 128 * 1024 + 16 * 1024;
    for (moved = {0, Io::full}; moved.size == 0; std::this_thread::yield()) {
      moved = transport.send(&piece, 1, false);
      REQUIRE(moved.status == Io::full);
    }
    CHECK(moved.size == 64 * 1024);
    taken += moved.size;
  }
  send_last("the end");
  transport.finish_sending();
  client.join();
  CHECK(answer == content.substr(0, taken) + "the end");
}

TEST_CASE_METHOD(Fixture, "a connection that is only closed has no end in order", "[tls_transport]") {
  run_client("request");
  REQUIRE(shake_hands() == Transport::Handshake::done);
  CHECK(receive(7) == "request");
  send("half an answer");
  transport.close();
  client.join();
  CHECK(answer == "half an answer");
  CHECK_FALSE(ended_in_order);
}

TEST_CASE_METHOD(Fixture, "clear text, and what is no TLS, is recognised", "[tls_transport]") {
  const auto shake = [&](std::string_view bytes) {
    REQUIRE(::send(pair.client.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    return shake_hands();
  };
  SECTION("HTTP") {
    CHECK(shake("GET / HTTP/1.1\r\nHost: a\r\n\r\n") == Transport::Handshake::plain_http);
  }
  SECTION("something else") {
    CHECK(shake("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n") == Transport::Handshake::failed);
    CHECK_FALSE(transport.handshake_failure().empty());
  }
  SECTION("an early end") {
    pair.client.reset();
    CHECK(shake_hands() == Transport::Handshake::lost);
  }
}

TEST_CASE_METHOD(Fixture, "a client that only changes its keys is cut off", "[tls_transport]") {
  const bool asks = GENERATE(false, true);
  client = std::thread([this, asks, socket = pair.client.release()] {
    test::TlsClient tls(socket, {});
    tls.send("x");
    try {
      tls.update_keys(5'000, asks);
      tls.read(1);  // until the server gives up
    } catch (const std::runtime_error&) {
      ended_in_order = false;
    }
  });
  REQUIRE(shake_hands() == Transport::Handshake::done);
  CHECK(receive(1) == "x");
  char buffer[100];
  Moved moved{0, Io::full};
  for (const Patience patience; patience.lasts() && moved.status == Io::full;) {
    moved = transport.receive(buffer, sizeof(buffer));
    std::this_thread::yield();
  }
  CHECK(moved.status == Io::lost);
  transport.abort();
}

TEST_CASE_METHOD(Fixture, "a step of the handshake on a thread outlives its connection", "[tls_transport]") {
  // A key that signs for so long that a thread does it.
  const test::TempFolder folder;
  REQUIRE(test::run({"openssl", "req", "-x509", "-newkey", "rsa:4096", "-nodes", "-keyout", folder / "key",
                     "-out", folder / "chain", "-days", "2", "-subj", "/CN=localhost"})
              .code == 0);
  test::TlsAddress slow({*read_certificate({folder / "chain", folder / "key"})});
  TlsServices slow_services = slow.services(*loop, *offload);
  REQUIRE(slow.context->nameless().is_slow);
  test::TcpPair slow_pair;
  auto slow_transport = std::make_unique<Transport>(std::move(slow_pair.server), &slow_services);
  client = std::thread([socket = slow_pair.client.release()] {
    try {
      test::TlsClient tls(socket, {});
    } catch (const std::runtime_error&) {
      return;  // as wanted: the server gives up
    }
  });
  Transport::Handshake progress = Transport::Handshake::needs_bytes;
  while (progress == Transport::Handshake::needs_bytes) {
    bool input_ready = true;
    progress = slow_transport->shake_hands(waiter, input_ready);
    std::this_thread::yield();
  }
  REQUIRE(progress == Transport::Handshake::computes);
  // As when the time for the head is over.
  CHECK(slow_transport->send_last({}).status == Io::ok);
  CHECK_FALSE(slow_transport->peer_has_ended());
  slow_transport.reset();
  while (!offload->idle()) loop->turn(10);
  CHECK(waiter.called == 0);
}
