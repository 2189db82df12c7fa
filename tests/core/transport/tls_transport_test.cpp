// TLS over a transport whose socket takes and gives what the test wants.
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <thread>

#include "settings/certificate.h"
#include "support/tcp_pair.h"
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

struct Waiter final : Ready {
  void on_ready() override { ++called; }
  int called = 0;
};

struct Fixture {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));
  std::unique_ptr<Offload> offload = std::move(*Offload::create(*loop, {}));
  std::unique_ptr<TlsContext> context =
      std::move(*TlsContext::create({*make_self_signed()}, TlsVersion::v1_2, std::move(*TicketKeys::make())));
  TlsServices services{*context, *loop, *offload};
  test::TcpPair pair;
  Waiter waiter;
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
    for (int i = 0; i < 100'000; ++i) {
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
    for (int i = 0; i < 100'000 && all.size() < size; ++i) {
      const Moved moved = transport.receive(buffer, sizeof(buffer));
      REQUIRE(moved.status != Io::lost);
      all.append(buffer, moved.size);
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
