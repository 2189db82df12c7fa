// The time at which a request counts as arrived: never before its first byte was there, and equal for requests
// that came together. The buffer stays small while the request fits.
#include "transport/input.h"

#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

using namespace sluice;

namespace {

constexpr std::string_view kOne = "one";

struct Fixture {
  InputBuffers buffers{4096};
  Input input{buffers};
  UniqueFd client;
  std::unique_ptr<Transport> transport;

  Fixture() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    client.reset(ends[0]);
    transport = std::make_unique<Transport>(UniqueFd(ends[1]));
  }
  void send(std::string_view bytes) {
    REQUIRE(::send(client.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  Io receive(std::uint64_t announced_ns) {
    bool filled = false;
    return input.receive(*transport, announced_ns, filled).status;
  }
  void use_one() {
    input.head_ends(kOne.size());
    input.next_request();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an announced request has arrived by the time of the announcement", "[input]") {
  send(kOne);
  CHECK(receive(7) == Io::ok);
  CHECK(input.arrived_ns() == 7);
  use_one();
  send(kOne.substr(0, 1));
  CHECK(receive(8) == Io::ok);
  send(kOne.substr(1));
  const std::uint64_t before_ns = monotonic_ns();
  CHECK(receive(9) == Io::ok);
  CHECK(input.arrived_ns() >= before_ns);  // the last piece of a head counts
}

TEST_CASE_METHOD(Fixture, "an unannounced request has arrived when it is received", "[input]") {
  CHECK(receive(7) == Io::full);
  CHECK(input.arrived_ns() == 0);
  const std::uint64_t before_ns = monotonic_ns();
  send(kOne);
  CHECK(receive(0) == Io::ok);
  CHECK(input.arrived_ns() >= before_ns);
}

TEST_CASE_METHOD(Fixture, "pipelined requests have all arrived when they were received", "[input]") {
  send(kOne);
  send(kOne);
  send(kOne);
  const std::uint64_t before_ns = monotonic_ns();
  CHECK(receive(7) == Io::ok);
  use_one();
  const std::uint64_t second_ns = input.arrived_ns();
  CHECK(second_ns >= before_ns);
  use_one();
  CHECK(input.arrived_ns() == second_ns);
  send(kOne);
  CHECK(receive(0) == Io::ok);
  use_one();
  CHECK(input.arrived_ns() > second_ns);
}

TEST_CASE_METHOD(Fixture, "a head that fills the small buffer goes on in a large one", "[input]") {
  const std::string head(InputBuffers::kSmallSize + 100, 'h');
  send(head);
  CHECK(receive(0) == Io::ok);
  CHECK(input.head().size() == InputBuffers::kSmallSize);
  CHECK(buffers.large.lent() == 0);
  CHECK(receive(0) == Io::ok);
  CHECK(input.head() == head);
  CHECK(buffers.small.lent() == 0);
  CHECK(buffers.large.lent() == 1);
  input.head_ends(head.size());
  input.next_request();
  input.release();
  CHECK(buffers.large.lent() == 0);
  send(kOne);
  CHECK(receive(0) == Io::ok);
  CHECK(buffers.small.lent() == 1);
}

TEST_CASE_METHOD(Fixture, "a body that has not come whole gets a large buffer", "[input]") {
  send(kOne);
  send(kOne);
  send("body");
  CHECK(receive(0) == Io::ok);
  use_one();
  CHECK_FALSE(input.make_room_for_body(kOne.size(), 4));
  CHECK(buffers.small.lent() == 1);
  REQUIRE(input.make_room_for_body(kOne.size(), 5));
  CHECK(buffers.small.lent() == 0);
  CHECK(input.head() == "onebody");
  input.head_ends(kOne.size());
  CHECK(input.rest() == "body");
  input.use(4);
  const std::string more(InputBuffers::kBodyRoom, 'b');
  send(more);
  CHECK(receive(0) == Io::ok);
  CHECK(input.rest() == more);
}

TEST_CASE_METHOD(Fixture, "there is room behind a head wherever requests before it have left it", "[input]") {
  const std::size_t large = 4096 + InputBuffers::kBodyRoom;
  input.expect_much();
  // Requests before it, and a head that ends with the buffer.
  const std::string before(large - 10, 'x');
  send(before + "0123456789");
  CHECK(receive(0) == Io::ok);
  input.head_ends(before.size());
  input.next_request();
  REQUIRE(input.head() == "0123456789");
  CHECK(input.make_room_for_body(10, kUnknownSize));
  REQUIRE(input.head() == "0123456789");
  input.head_ends(10);
  send("body");
  CHECK(receive(0) == Io::ok);
  CHECK(input.rest() == "body");
}
