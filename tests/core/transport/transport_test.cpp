// When bytes leave a socket, and what happens when the kernel has no memory for them.
#include "transport/transport.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <string>
#include <vector>

#include "connection/body_sink.h"
#include "support/connection_fixture.h"
#include "support/tcp_pair.h"
#include "transport/socket_calls.h"

using namespace sluice;

namespace {

const std::string kGet = "GET /none HTTP/1.1\r\nHost: a\r\n\r\n";

// How many bytes the kernel has taken, but not sent yet.
int held_back(int socket) {
  int size = 0;
  REQUIRE(::ioctl(socket, SIOCOUTQNSD, &size) == 0);
  return size;
}

// Makes a number of sends fail. After that they work again.
struct FailingSends {
  static inline const SocketCalls kKernel = socket_calls;
  static inline int left = 0;
  static inline int error_number = 0;

  FailingSends(int count, int error) {
    left = count;
    error_number = error;
    socket_calls.send = [](int socket, const iovec* pieces, int count_of_pieces, int flags) -> ssize_t {
      return fails() ? -1 : kKernel.send(socket, pieces, count_of_pieces, flags);
    };
    socket_calls.send_file = [](int socket, int file, off_t* position, std::size_t size) -> ssize_t {
      return fails() ? -1 : kKernel.send_file(socket, file, position, size);
    };
  }
  ~FailingSends() { socket_calls = kKernel; }
  static bool fails() {
    if (left <= 0) return false;
    --left;
    errno = error_number;
    return true;
  }
};

struct Sending {
  test::TcpPair pair;
  int socket = pair.server.get();
  Transport transport{std::move(pair.server)};
  BufferPool pool{4096};
  Output output{pool};
  BodyFraming framing{Framing::length, kUnknownSize, false};
  std::uint64_t budget = 1 << 20;
  UniqueFd file{::memfd_create("content", MFD_CLOEXEC)};

  Sending() { REQUIRE(::ftruncate(file.get(), 100'000) == 0); }
  BodySink sink() { return {output, transport, framing, budget}; }
};

}  // namespace

TEST_CASE("held-back bytes leave when nothing follows", "[transport]") {
  Sending sending;
  SECTION("after a send that announced more bytes") {
    const std::string text(1000, 'x');
    const iovec piece{const_cast<char*>(text.data()), text.size()};
    CHECK(sending.transport.send(&piece, 1, true).size == 1000);
  }
  SECTION("after a part of a file") {
    CHECK(sending.sink().send_file(sending.file.get(), 0, 1000).size == 1000);
  }
  SECTION("after a head, if the file cannot be sent without a copy") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const UniqueFd reader(ends[0]);
    const UniqueFd writer(ends[1]);
    sending.output.append("head");
    CHECK(sending.sink().send_file(reader.get(), 0, 1000).status != Io::ok);
    CHECK(sending.output.empty());
  }
  CHECK(held_back(sending.socket) > 0);
  sending.transport.release();
  CHECK(held_back(sending.socket) == 0);
}

TEST_CASE("the parts of a file end at a page, or with the file", "[transport]") {
  Sending sending;
  sending.framing.remaining = 100'000;
  sending.budget = 20'000;
  CHECK(sending.sink().send_file(sending.file.get(), 0, 100'000).size == 20'480);
  CHECK(sending.budget == 0);
  sending.budget = 1 << 20;
  CHECK(sending.sink().send_file(sending.file.get(), 20'480, 79'520).size == 79'520);
}

TEST_CASE("all pieces leave in one write", "[transport]") {
  Sending sending;
  sending.framing.remaining = 100 * 200;
  const std::string text(200, 'x');
  const std::vector<Bytes> pieces(100, Bytes(text));
  sending.output.append("head");
  const Moved moved = sending.sink().write(pieces.data(), 100);
  CHECK(moved.size == 100 * 200);
  CHECK(moved.status == Io::ok);
  CHECK(held_back(sending.socket) == 0);
}

TEST_CASE_METHOD(test::ConnectionFixture, "a body that waits for something else holds no bytes back",
                 "[transport][connection]") {
  mount("half");
  connect_tcp();
  send("GET /half/ HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(receive().size() > 10'000);
  CHECK(held_back(server_end.get()) == 0);
}

TEST_CASE_METHOD(test::ConnectionFixture, "an answer without kernel memory leaves when there is memory",
                 "[transport][connection]") {
  const FailingSends failing(5, GENERATE(ENOBUFS, ENOMEM));
  connect();
  send(kGet);
  std::string got;
  CHECK(turn_until([&] { return (got += receive()).find("HTTP/1.1 404") == 0; }));
}

TEST_CASE_METHOD(test::ConnectionFixture, "an answer that never gets kernel memory is given up",
                 "[transport][connection]") {
  loop->deadlines().set_duration(DeadlineKind::send, 10);
  const FailingSends failing(1'000'000, ENOBUFS);
  connect();
  send(kGet);
  CHECK(turn_until([&] { return table.size() == 0; }));
  CHECK(FailingSends::left > 1'000'000 - 100);  // it does not try again in every turn
}

TEST_CASE("sending a file without kernel memory is tried again", "[transport]") {
  Sending sending;
  const FailingSends failing(1, GENERATE(ENOBUFS, ENOMEM));
  BodySink first = sending.sink();
  CHECK(first.send_file(sending.file.get(), 0, 100).status == Io::full);
  CHECK(first.is_full());
  CHECK(sending.transport.take_starved());
  CHECK(sending.sink().send_file(sending.file.get(), 0, 100).status == Io::ok);
}
