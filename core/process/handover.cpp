#include "process/handover.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/netstring.h"
#include "base/text.h"

namespace sluice {
namespace {

constexpr off_t kTextMax = 1024 * 1024;

bool inherit(int fd) {
  return ::fcntl(fd, F_SETFD, 0) == 0;
}

bool keep(int fd) {
  return ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

void wipe(std::string& text) {
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

// The text of the memory, which is closed then.
std::optional<std::string> read_text(UniqueFd memory) {
  struct stat about {};
  if (!memory || ::fstat(memory.get(), &about) != 0 || about.st_size <= 0 || about.st_size > kTextMax)
    return std::nullopt;
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  if (::pread(memory.get(), text.data(), text.size(), 0) != about.st_size) return std::nullopt;
  return text;
}

}  // namespace

bool Handover::pass_on() const {
  NetstringWriter out;
  out.put(ticket_keys);
  for (const HandedSocket& socket : sockets) {
    if (!inherit(socket.fd)) return false;
    out.put(static_cast<std::uint64_t>(socket.fd)).put(socket.text).put(std::uint64_t{socket.is_passed});
  }
  std::string text = out.take();
  const int memory = ::memfd_create("handover", 0);
  const bool written =
      memory >= 0 && ::write(memory, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  wipe(text);
  const std::string value = fmt::format("{}:{}:{}:{}", ::getpid(), ::getppid(), channel.get(), memory);
  return written && inherit(channel.get()) && ::setenv(kVariable, value.c_str(), 1) == 0;
}

void Handover::wipe_keys() {
  wipe(ticket_keys);
}

void Handover::close_for_child() {
  for (const HandedSocket& socket : sockets) {
    if (!socket.is_passed) ::close(socket.fd);
  }
  channel.reset();
}

Result<std::optional<Handover>> Handover::take() {
  const char* const value = std::getenv(kVariable);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(kVariable);
  std::string_view left = text;
  const auto next = [&left] { return parse_decimal(take_part(left, ":")); };
  const auto process = next();
  const auto from = next();
  const auto channel = next();
  const auto memory = next();
  // Meant for the process that has started this one, or written by a person.
  if (!memory || process != static_cast<std::uint64_t>(::getpid())) return std::optional<Handover>();
  Handover handover;
  handover.from = static_cast<pid_t>(*from);
  handover.channel.reset(static_cast<int>(*channel));
  std::optional<std::string> packed = read_text(UniqueFd(static_cast<int>(*memory)));
  if (!packed || !keep(handover.channel.get()))
    return fail("what the former server hands over cannot be read: start this one by itself");
  NetstringReader in(*packed);
  handover.ticket_keys = in.next();
  while (!in.at_end()) {
    HandedSocket socket;
    socket.fd = static_cast<int>(in.next_number());
    socket.text = in.next();
    socket.is_passed = in.next_number() != 0;
    if (!keep(socket.fd)) return fail_errno("a socket that the former server hands over cannot be used", errno);
    handover.sockets.push_back(std::move(socket));
  }
  wipe(*packed);
  return std::optional<Handover>(std::move(handover));
}

}  // namespace sluice
