#include "control/control_server.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/monotonic_clock.h"
#include "control/control_socket.h"

namespace sluice {
namespace {

constexpr int kBacklog = 16;

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

class ControlServer::Client final : private Pollable {
 public:
  Client(ControlServer& server, UniqueFd connected)
      : ticket(++server.last_ticket_),
        socket(std::move(connected)),
        late(server.loop_, [this] { server_.drop(ticket); }),
        server_(server) {}
  bool begin() {
    late.at(monotonic_ms() + server_.times_.transfer_ms);
    return events.begin(server_.loop_, socket.get(), EPOLLIN, *this);
  }

  const ControlTicket ticket;
  UniqueFd socket;
  Registration events;
  Alarm late;
  std::string line;
  std::string answer;  // empty until there is one
  std::size_t sent = 0;

 private:
  void on_events(std::uint32_t came) override { server_.on_client(*this, came); }

  ControlServer& server_;
};

ControlServer::ControlServer(EventLoop& loop, std::vector<ControlCommand> commands, ControlTimes times)
    : loop_(loop),
      commands_(std::move(commands)),
      times_(times),
      retry_(loop, [this] { wanted_.change(EPOLLIN); }) {}

Result<std::unique_ptr<ControlServer>> ControlServer::open(EventLoop& loop, const std::string& path,
                                                           std::vector<ControlCommand> commands,
                                                           ControlTimes times) {
  std::unique_ptr<ControlServer> server(new ControlServer(loop, std::move(commands), times));
  const auto listening = server->listen(path);
  if (!listening) return Unexpected(listening.error());
  if (!server->wanted_.begin(loop, server->listener_.get(), EPOLLIN, *server))
    return fail_errno("cannot watch the control socket", errno);
  return server;
}

ControlServer::~ControlServer() {
  unlink_own();
}

void ControlServer::unlink_own() {
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
    return fail(
        fmt::format("{} is in the way of a control socket at {}: move it, or name another path with --control",
                    draft, path));
  }
  const auto address = control_address(draft);
  if (!address) return Unexpected(address.error());
  ::unlink(draft.c_str());
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* generic = reinterpret_cast<const sockaddr*>(&*address);
  if (!listener_ || ::bind(listener_.get(), generic, sizeof(*address)) != 0)
    return fail_errno(fmt::format("the control socket {} cannot be made", path), errno);
  if (::chmod(draft.c_str(), 0600) != 0 || ::listen(listener_.get(), kBacklog) != 0 ||
      ::lstat(draft.c_str(), &about) != 0 || ::rename(draft.c_str(), path.c_str()) != 0) {
    const int error_number = errno;
    ::unlink(draft.c_str());
    return fail_errno(fmt::format("the control socket {} cannot be made", path), error_number);
  }
  path_ = path;
  device_ = about.st_dev;
  inode_ = about.st_ino;
  return {};
}

void ControlServer::on_events(std::uint32_t) {
  for (std::size_t i = 0; i < kClientsMax; ++i) {
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket && errno == EAGAIN) return;
    if (!socket) {
      // Without a free descriptor the client stays in the queue and keeps the listener readable, so the
      // listener is not watched for a while.
      wanted_.change(0);
      return retry_.at(monotonic_ms() + times_.retry_ms);
    }
    if (clients_.size() == kClientsMax || !may_command(socket.get())) continue;
    auto client = std::make_unique<Client>(*this, std::move(socket));
    if (client->begin()) clients_.push_back(std::move(client));
  }
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
  client.events.change(0);  // until there is an answer, epoll reports only that the client has gone (EPOLLHUP)
  client.late.at(monotonic_ms() + times_.command_ms);
  const ControlTicket ticket = client.ticket;
  const std::string line = client.line;
  std::string names;
  for (const ControlCommand& command : commands_) {
    const bool begins = line.starts_with(command.name);
    if (begins && (line.size() == command.name.size() || line[command.name.size()] == ' ')) {
      const std::string argument = line.substr(std::min(line.size(), command.name.size() + 1));
      if (!command.has_limit) client.late.off();
      if (const auto now = command.run(ticket, argument)) answer(ticket, *now);
      return;
    }
    names.append(names.empty() ? "" : ", ").append(command.name);
  }
  answer(ticket, fail(fmt::format("the running server has no command '{}': it knows {}", line, names)));
}

void ControlServer::answer(ControlTicket ticket, const ControlAnswer& answer) {
  Client* client = find(ticket);
  if (client == nullptr || !client->answer.empty()) return;
  client->answer = answer ? "ok\n" + *answer : fmt::format("error {}\n", one_line(answer.error().message));
  client->late.at(monotonic_ms() + times_.transfer_ms);
  client->events.change(EPOLLOUT);
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
                                  [ticket](const auto& client) { return client->ticket == ticket; });
  return found == clients_.end() ? nullptr : found->get();
}

void ControlServer::drop(ControlTicket ticket) {
  std::erase_if(clients_, [ticket](const auto& client) { return client->ticket == ticket; });
}

// The file goes first. A server that found the file, and nobody behind it, would put its own there, and that
// one would be removed.
void ControlServer::end_listening() {
  unlink_own();
  path_.clear();
  retry_.off();
  wanted_.end();
  listener_.reset();
}

void ControlServer::close_for_child() {
  path_.clear();
  clients_.clear();
  wanted_.end();
  listener_.reset();
}

}  // namespace sluice
