#include "server/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/monotonic_clock.h"
#include "base/text.h"

namespace sluice {
namespace {

constexpr std::uint64_t kRetryMs = 50;
constexpr std::size_t kWaitingMax = 16;
// systemd ignores messages of more than 4096 bytes.
constexpr std::size_t kStatusMax = 1024;
// Of the time that the manager waits: a message may be late once without being missed.
constexpr std::uint64_t kLivePerWait = 3;
constexpr std::uint64_t kLiveMsMin = 10;

// systemd takes a status only in UTF-8, and a newline would begin another assignment.
std::string one_line(std::string_view text) {
  std::string line(text.substr(0, kStatusMax));
  std::replace_if(
      line.begin(), line.end(), [](char byte) { return byte < 0x20 || byte >= 0x7f; }, '?');
  return line;
}

// A path, or "@NAME" for a socket without a file (unix(7)).
Result<UniqueFd> connect_to(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() < 2 || (name[0] != '/' && name[0] != '@'))
    return fail("write the path of a socket, or @NAME");
  if (name.size() >= sizeof(address.sun_path)) return fail("the path is too long");
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
    return fail(std::strerror(errno));
  return socket;
}

}  // namespace

ServiceManager::ServiceManager(EventLoop& loop, const ServiceVariables& variables)
    : retry_(loop, [this] { send_waiting(); }), live_(loop, [this] { live(); }) {
  if (variables.notify_socket.empty()) return;
  auto socket = connect_to(variables.notify_socket);
  if (!socket) {
    log(LogLevel::warning, fmt::format("the service manager is told nothing, since NOTIFY_SOCKET is '{}': {}",
                                       variables.notify_socket, socket.error().message));
    return;
  }
  socket_ = std::move(*socket);
  begin_watchdog(variables);
}

void ServiceManager::begin_watchdog(const ServiceVariables& variables) {
  if (variables.watchdog_usec.empty()) return;
  // It may be meant for the process that has started this one.
  const std::string& meant = variables.watchdog_pid;
  if (!meant.empty() && parse_decimal(meant) != static_cast<std::uint64_t>(::getpid())) return;
  const auto wait_us = parse_decimal(variables.watchdog_usec);
  if (!wait_us || *wait_us == 0) {
    log(LogLevel::warning,
        fmt::format(
            "the service manager hears no sign of life, since WATCHDOG_USEC is '{}': write microseconds",
            variables.watchdog_usec));
    return;
  }
  live_every_ms_ = std::max(*wait_us / 1000 / kLivePerWait, kLiveMsMin);
  live();
}

void ServiceManager::ready(std::string_view status) {
  say("READY=1\nSTATUS=" + one_line(status));
}

void ServiceManager::reloading() {
  say(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=reloading", monotonic_ns() / 1000));
}

void ServiceManager::stopping(std::uint64_t within_ms) {
  say(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\nSTATUS=requests under way may end", within_ms * 1000));
}

void ServiceManager::hand_over(pid_t to) {
  say(fmt::format("MAINPID={}", to));
  handed_over_ = true;
  live_.off();
}

// A sign of life that finds no room is not kept: the next one says the same.
void ServiceManager::live() {
  live_.at(monotonic_ms() + live_every_ms_);
  if (waiting_.empty()) send("WATCHDOG=1");
}

void ServiceManager::say(std::string message) {
  if (!socket_ || handed_over_) return;
  if (waiting_.size() == kWaitingMax) waiting_.pop_front();
  waiting_.push_back(std::move(message));
  send_waiting();
}

void ServiceManager::send_waiting() {
  while (!waiting_.empty() && send(waiting_.front())) waiting_.pop_front();
  if (!waiting_.empty()) retry_.at(monotonic_ms() + kRetryMs);
}

// False if it has to be sent once more.
bool ServiceManager::send(const std::string& message) {
  if (::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
    warned_ = false;
    return true;
  }
  const int error = errno;
  if (error == EAGAIN || error == EINTR || error == ENOBUFS || error == ENOMEM) return false;
  if (!std::exchange(warned_, true))
    log(LogLevel::warning,
        fmt::format("the service manager cannot be told how the server is: {}", std::strerror(error)));
  return true;
}

}  // namespace sluice
