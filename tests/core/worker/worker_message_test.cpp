// Messages between a supervisor and its workers, and the descriptors that they carry.
#include "worker/worker_message.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

using namespace sluice;

namespace {

struct Pair {
  UniqueFd near;
  UniqueFd far;
  Pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    near.reset(ends[0]);
    far.reset(ends[1]);
  }
};

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

// A message that a faulty worker may send: with more than one descriptor, each in a header of its own or all
// in one.
void send_with(int socket, const std::vector<int>& fds, const std::string& text) {
  alignas(cmsghdr) char room[256]{};
  iovec piece{const_cast<char*>(text.data()), text.size()};
  msghdr packet{};
  packet.msg_iov = &piece;
  packet.msg_iovlen = 1;
  packet.msg_control = room;
  packet.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
  cmsghdr* header = CMSG_FIRSTHDR(&packet);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
  std::memcpy(CMSG_DATA(header), fds.data(), sizeof(int) * fds.size());
  REQUIRE(::sendmsg(socket, &packet, 0) == static_cast<ssize_t>(text.size()));
}

}  // namespace

TEST_CASE("a message arrives with its number, text and descriptor", "[worker_message]") {
  const Pair pair;
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  REQUIRE(send_message(pair.near.get(), {ControlMessage::help, 7, "text"}, file.get()));
  WorkerMessage message;
  REQUIRE(receive_message(pair.far.get(), message) == Heard::message);
  CHECK(message.kind == ControlMessage::help);
  CHECK(message.number == 7);
  CHECK(message.text == "text");
  CHECK(message.fd);
  CHECK(receive_message(pair.far.get(), message) == Heard::nothing);
}

TEST_CASE("no descriptor that comes with a message stays open by accident", "[worker_message]") {
  const Pair pair;
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::ptrdiff_t before = open_descriptors();
  for (const std::size_t count : {1U, 2U, 3U, 20U}) {
    send_with(pair.near.get(), std::vector<int>(count, file.get()), "h1:0:");
    {
      WorkerMessage message;
      REQUIRE(receive_message(pair.far.get(), message) == Heard::message);
      CHECK(open_descriptors() == before + (message.fd ? 1 : 0));
    }
    CHECK(open_descriptors() == before);
  }
}

TEST_CASE("a socket that would wait when it is closed is closed at once", "[worker_message]") {
  const Pair pair;
  const UniqueFd sent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const linger for_long{1, 3600};
  REQUIRE(::setsockopt(sent.get(), SOL_SOCKET, SO_LINGER, &for_long, sizeof(for_long)) == 0);
  const auto lingers = [&] {
    linger now{};
    socklen_t size = sizeof(now);
    REQUIRE(::getsockopt(sent.get(), SOL_SOCKET, SO_LINGER, &now, &size) == 0);
    return now.l_onoff != 0;
  };
  WorkerMessage message;
  SECTION("because nobody wanted it") {
    send_with(pair.near.get(), {sent.get()}, "r1:0,0:,");
    REQUIRE(receive_message(pair.far.get(), message) == Heard::message);
    CHECK(lingers());
    close_unwanted(std::move(message.fd));
  }
  SECTION("because it is one too many") {
    const UniqueFd first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    send_with(pair.near.get(), {first.get(), sent.get()}, "r1:0,0:,");
    REQUIRE(receive_message(pair.far.get(), message) == Heard::message);
  }
  CHECK_FALSE(lingers());
}

TEST_CASE("a socket that refuses descriptors takes messages without one", "[worker_message]") {
  const Pair pair;
  refuse_descriptors(pair.far.get());
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::ptrdiff_t before = open_descriptors();
  const bool sent = send_message(pair.near.get(), {ControlMessage::ready}, file.get());
  if (sent) WARN("SKIPPED: this kernel cannot refuse descriptors");
  WorkerMessage message;
  if (!sent) {
    CHECK(errno == EPERM);
    REQUIRE(send_message(pair.near.get(), {ControlMessage::ready}));
  }
  CHECK(receive_message(pair.far.get(), message) == Heard::message);
  message.fd.reset();
  CHECK(open_descriptors() == before);
}
