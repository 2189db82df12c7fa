// Netstrings and the messages of workers: any bytes are read to their end, every field is a part of them, and
// what was written is read as it was.
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/netstring.h"
#include "expect.h"
#include "worker/worker_message.h"

using namespace sluice;
using fuzz::expect;

namespace {

struct Channel {
  int ends[2];
  Channel() {
    expect(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0,
           "there is a socket pair");
  }
};

void check_netstrings(std::string_view bytes) {
  NetstringReader reader(bytes);
  std::size_t fields = 0;
  for (; !reader.at_end(); ++fields) {
    const std::string_view field = reader.next();
    expect(field.empty() || (field.data() >= bytes.data() && field.end() <= bytes.end()),
           "a field lies within the text");
    expect(fields < bytes.size(), "each field takes something away");
  }
  expect(reader.next().empty() && reader.next_number() == 0, "behind the end there is nothing");
}

void check_raw(const Channel& channel, std::string_view bytes) {
  if (::send(channel.ends[0], bytes.data(), bytes.size(), 0) < 0) return;  // it is too long
  WorkerMessage message;
  const Heard heard = receive_message(channel.ends[1], message);
  expect(heard == (bytes.empty() ? Heard::gone : Heard::message), "a packet is a message, unless it is empty");
  if (heard == Heard::gone) {  // and the packet is left there
    char byte = 0;
    ::recv(channel.ends[1], &byte, sizeof(byte), 0);
    return;
  }
  expect(message.text.size() < bytes.size(), "a message's text is a part of it");
  expect(!message.fd, "a message without a descriptor has none");
  expect(receive_message(channel.ends[1], message) == Heard::nothing, "a packet is read as a whole");
}

void check_written(const Channel& channel, std::string_view bytes) {
  const WorkerMessage sent{static_cast<ControlMessage>(bytes.empty() ? 'r' : bytes.front()), bytes.size(),
                           std::string(bytes)};
  const int fd = bytes.size() % 2 == 0 ? channel.ends[0] : -1;
  if (!send_message(channel.ends[0], sent, fd)) return;
  WorkerMessage got;
  expect(receive_message(channel.ends[1], got) == Heard::message, "what was sent comes");
  expect(got.kind == sent.kind && got.number == sent.number && got.text == sent.text,
         "what comes is what was sent");
  expect(static_cast<bool>(got.fd) == (fd >= 0), "its descriptor comes with it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Channel channel;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_netstrings(bytes);
  check_raw(channel, bytes);
  check_written(channel, bytes);
  return 0;
}
