#include "worker/worker_message.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/netstring.h"

namespace sluice {
namespace {

// In <asm/socket.h> since Linux 6.16.
constexpr int kPassRights = 83;

// As many descriptors as one packet may carry (SCM_MAX_FD). The kernel itself would close those without room,
// in this process, and could be held up by it.
constexpr std::size_t kDescriptorsMax = 253;
union DescriptorRoom {
  cmsghdr header;
  char bytes[CMSG_SPACE(kDescriptorsMax * sizeof(int))];
};

// Keeps the first descriptor and closes the others. A message carries one, but who knows what has sent it.
UniqueFd take_descriptor(msghdr& packet) {
  UniqueFd first;
  for (cmsghdr* header = CMSG_FIRSTHDR(&packet); header != nullptr; header = CMSG_NXTHDR(&packet, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int received = -1;
      std::memcpy(&received, CMSG_DATA(header) + i * sizeof(received), sizeof(received));
      UniqueFd owned(received);
      if (first) {
        close_unwanted(std::move(owned));
      } else {
        first = std::move(owned);
      }
    }
  }
  return first;
}

}  // namespace

void close_unwanted(UniqueFd fd) {
  const linger none{};
  if (fd) ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

void refuse_descriptors(int socket) {
  const int off = 0;
  ::setsockopt(socket, SOL_SOCKET, kPassRights, &off, sizeof(off));
}

bool send_message(int socket, const WorkerMessage& message, int fd) {
  std::string text(1, static_cast<char>(message.kind));
  text += NetstringWriter().put(message.number).put(message.text).take();
  iovec piece{text.data(), text.size()};
  msghdr packet{};
  packet.msg_iov = &piece;
  packet.msg_iovlen = 1;
  DescriptorRoom room{};
  if (fd >= 0) {
    packet.msg_control = room.bytes;
    packet.msg_controllen = CMSG_SPACE(sizeof(fd));
    cmsghdr* header = CMSG_FIRSTHDR(&packet);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(fd));
    std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(text.size());
}

Heard receive_message(int socket, WorkerMessage& message) {
  const auto receive = [socket](msghdr& packet, int flags) {
    ssize_t got = 0;
    do {
      got = ::recvmsg(socket, &packet, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    return got;
  };
  msghdr peek{};
  const ssize_t size = receive(peek, MSG_PEEK | MSG_TRUNC);
  if (size < 0) return errno == EAGAIN ? Heard::nothing : Heard::gone;
  if (size == 0) return Heard::gone;  // no message is empty, so this is the end
  std::string text(static_cast<std::size_t>(size), '\0');
  iovec piece{text.data(), text.size()};
  msghdr packet{};
  packet.msg_iov = &piece;
  packet.msg_iovlen = 1;
  DescriptorRoom room{};
  packet.msg_control = room.bytes;
  packet.msg_controllen = sizeof(room.bytes);
  const ssize_t got = receive(packet, 0);
  UniqueFd fd = got < 0 ? UniqueFd() : take_descriptor(packet);
  if (got != size) {
    close_unwanted(std::move(fd));
    return Heard::gone;
  }
  message = WorkerMessage{};
  message.fd = std::move(fd);
  message.kind = static_cast<ControlMessage>(text[0]);
  NetstringReader fields(std::string_view(text).substr(1));
  message.number = fields.next_number();
  message.text = fields.next();
  return Heard::message;
}

}  // namespace sluice
