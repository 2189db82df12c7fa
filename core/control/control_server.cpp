#include "control/control_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/monotonic_clock.h"
#include "control/control_socket.h"

namespace sluice {
namespace {

constexpr int kBacklog = 16;
constexpr int kEventsMax = 8;

// epoll data of the listener and the timer; that of a client is its ticket.
constexpr ControlTicket kListenerMark = 1;
constexpr ControlTicket kTickMark = 2;
constexpr ControlTicket kFirstTicket = 3;

bool may_command(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == 0 || peer.uid == ::geteuid());
}

// An error is one line of the answer.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::open(const std::string& path,
                                                           std::vector<ControlCommand> commands,
                                                           ControlTimes times) {
  std::unique_ptr<ControlServer> server(new ControlServer(std::move(commands), times));
  server->next_ticket_ = kFirstTicket;
  const auto listening = server->listen(path);
  if (!listening) return Unexpected(listening.error());
  const auto watching = server->watch();
  if (!watching) return Unexpected(watching.error());
  return server;
}

ControlServer::~ControlServer() {
  struct stat about {};
  if (path_.empty() || ::lstat(path_.c_str(), &about) != 0) return;
  if (about.st_dev == device_ && about.st_ino == inode_) ::unlink(path_.c_str());
}

// Binds and listens at a draft path, and then renames it, so that clients can connect as soon as the socket is
// there.
Result<void> ControlServer::listen(const std::string& path) {
  struct stat about {};
  const bool taken = ::lstat(path.c_str(), &about) == 0;
  if (taken && !S_ISSOCK(about.st_mode))
    return fail(path + " is not a socket: name a free path for the control socket with --control");
  if (taken && !is_left_over(path)) {
    return fail(path +
                " is the socket of a running server or of another program: name another path with --control");
  }
  const std::string draft = path + "~";
  if (::lstat(draft.c_str(), &about) == 0 && !S_ISSOCK(about.st_mode)) {
    return fail(draft + " is in the way of a control socket at " + path +
                ": move it, or name another path with --control");
  }
  const auto address = control_address(draft);
  if (!address) return Unexpected(address.error());
  ::unlink(draft.c_str());
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* generic = reinterpret_cast<const sockaddr*>(&*address);
  if (!listener_ || ::bind(listener_.get(), generic, sizeof(*address)) != 0)
    return fail_errno("the control socket " + path + " cannot be made", errno);
  if (::chmod(draft.c_str(), 0600) != 0 || ::listen(listener_.get(), kBacklog) != 0 ||
      ::lstat(draft.c_str(), &about) != 0 || ::rename(draft.c_str(), path.c_str()) != 0) {
    const int error_number = errno;
    ::unlink(draft.c_str());
    return fail_errno("the control socket " + path + " cannot be made", error_number);
  }
  path_ = path;
  device_ = about.st_dev;
  inode_ = about.st_ino;
  return {};
}

Result<void> ControlServer::watch() {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  tick_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  epoll_event listening{};
  listening.events = EPOLLIN;
  listening.data.u64 = kListenerMark;
  epoll_event ticking{};
  ticking.events = EPOLLIN;
  ticking.data.u64 = kTickMark;
  if (!epoll_ || !tick_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &listening) != 0 ||
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, tick_.get(), &ticking) != 0) {
    return fail_errno("cannot watch the control socket", errno);
  }
  return {};
}

void ControlServer::serve() {
  epoll_event events[kEventsMax];
  const int count = ::epoll_wait(epoll_.get(), events, kEventsMax, 0);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == kListenerMark) {
      accept_all();
    } else if (events[i].data.u64 == kTickMark) {
      expire();
    } else if (Client* client = find(events[i].data.u64)) {
      on_client(*client, events[i].events);
    }
  }
}

void ControlServer::accept_all() {
  const bool was_idle = clients_.empty();
  for (std::size_t i = 0; i < kClientsMax; ++i) {
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      // Without a free descriptor the client stays in the queue and keeps the listener readable, so the
      // listener is not watched until the next tick.
      if (errno != EAGAIN) want_clients(false);
      break;
    }
    Client client{next_ticket_++, std::move(socket), {}, {}, 0, monotonic_ms() + times_.transfer_ms};
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u64 = client.ticket;
    if (clients_.size() == kClientsMax || !may_command(client.socket.get()) ||
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.socket.get(), &wanted) != 0) {
      continue;
    }
    clients_.push_back(std::move(client));
  }
  if (was_idle && !clients_.empty()) tick_every(times_.tick_ms);
}

void ControlServer::want_clients(bool wanted) {
  epoll_event listening{};
  listening.events = wanted ? EPOLLIN : 0U;
  listening.data.u64 = kListenerMark;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), &listening);
  if (!wanted) tick_every(times_.tick_ms);
}

void ControlServer::tick_every(std::uint32_t interval_ms) {
  const timespec interval{interval_ms / 1000, static_cast<long>(interval_ms % 1000) * 1'000'000};
  const itimerspec tick{interval, interval};
  ::timerfd_settime(tick_.get(), 0, &tick, nullptr);
}

void ControlServer::expire() {
  std::uint64_t ticks = 0;
  [[maybe_unused]] const ssize_t got = ::read(tick_.get(), &ticks, sizeof(ticks));
  const std::uint64_t now = monotonic_ms();
  std::erase_if(clients_, [now](const Client& client) { return client.until_ms <= now; });
  if (clients_.empty()) tick_every(0);
  want_clients(true);
}

void ControlServer::on_client(Client& client, std::uint32_t events) {
  if (!client.answer.empty()) return send(client);
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) return drop(client.ticket);
  if (receive(client)) run(client);
}

// true when the whole line has come. Bytes behind it are ignored.
bool ControlServer::receive(Client& client) {
  char buffer[kLineMax];
  const ssize_t got = ::recv(client.socket.get(), buffer, sizeof(buffer), 0);
  if (got < 0) {
    if (errno != EAGAIN && errno != EINTR) drop(client.ticket);
    return false;
  }
  client.line.append(buffer, static_cast<std::size_t>(got));
  const std::size_t end = client.line.find('\n');
  if (end == std::string::npos && client.line.size() < kLineMax) {
    if (got == 0) drop(client.ticket);
    return false;
  }
  client.line.resize(std::min(end, client.line.size()));
  return true;
}

void ControlServer::run(Client& client) {
  // Until there is an answer, epoll reports only that the client has gone (EPOLLHUP).
  epoll_event nothing{};
  nothing.data.u64 = client.ticket;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client.socket.get(), &nothing);
  client.until_ms = monotonic_ms() + times_.command_ms;
  const ControlTicket ticket = client.ticket;
  const std::string line = client.line;
  std::string names;
  for (const ControlCommand& command : commands_) {
    const bool begins = line.starts_with(command.name);
    if (begins && (line.size() == command.name.size() || line[command.name.size()] == ' ')) {
      const std::string argument = line.substr(std::min(line.size(), command.name.size() + 1));
      if (const auto now = command.run(ticket, argument)) answer(ticket, *now);
      return;
    }
    names.append(names.empty() ? "" : ", ").append(command.name);
  }
  answer(ticket, fail("the running server has no command '" + line + "': it knows " + names));
}

void ControlServer::answer(ControlTicket ticket, const ControlAnswer& answer) {
  Client* client = find(ticket);
  if (client == nullptr || !client->answer.empty()) return;
  client->answer = answer ? "ok\n" + *answer : "error " + one_line(answer.error().message) + "\n";
  client->until_ms = monotonic_ms() + times_.transfer_ms;
  epoll_event wanted{};
  wanted.events = EPOLLOUT;
  wanted.data.u64 = ticket;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client->socket.get(), &wanted);
  send(*client);
}

void ControlServer::send(Client& client) {
  while (client.sent < client.answer.size()) {
    const ssize_t sent = ::send(client.socket.get(), client.answer.data() + client.sent,
                                client.answer.size() - client.sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) break;
    client.sent += static_cast<std::size_t>(sent);
  }
  drop(client.ticket);
}

ControlServer::Client* ControlServer::find(ControlTicket ticket) {
  const auto found = std::find_if(clients_.begin(), clients_.end(),
                                  [ticket](const Client& client) { return client.ticket == ticket; });
  return found == clients_.end() ? nullptr : &*found;
}

void ControlServer::drop(ControlTicket ticket) {
  std::erase_if(clients_, [ticket](const Client& client) { return client.ticket == ticket; });
}

void ControlServer::close_for_child() {
  path_.clear();
  clients_.clear();
  listener_.reset();
  epoll_.reset();
  tick_.reset();
}

}  // namespace sluice
