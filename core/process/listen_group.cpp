#include "process/listen_group.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fmt/core.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace sluice {
namespace {

constexpr int kSilentSeconds = 1;  // a client that sends nothing for this long is accepted as well
constexpr int kBacklog = 4096;     // the kernel cuts it to net.core.somaxconn

// "127.0.0.1", "::1": the numbers as the kernel has them, without a look-up.
std::string numeric_host(const ListenAddress& address) {
  char text[INET6_ADDRSTRLEN]{};
  const bool v6 = address.address.ss_family == AF_INET6;
  const void* host =
      v6 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(&address.address)->sin6_addr)
         : &reinterpret_cast<const sockaddr_in*>(&address.address)->sin_addr;
  ::inet_ntop(address.address.ss_family, host, text, sizeof(text));
  return text;
}

Unexpected cannot_listen(const ListenAddress& address, int error_number) {
  std::string message = "cannot listen on " + address.text;
  if (address.is_one_of_several) message += " (" + numeric_host(address) + ")";
  message += ": ";
  switch (error_number) {
    case EADDRINUSE:
      message += "the address is in use; stop the other server, or choose another with --listen";
      break;
    case EACCES:
      message += "it is not allowed; start as root, or choose a port from 1024 up with --listen";
      break;
    case EADDRNOTAVAIL:
      message += "this machine has no such address; choose one of its own with --listen";
      break;
    default:
      message += std::strerror(error_number);
  }
  return fail(message);
}

const sockaddr* generic(const ListenAddress& address) {
  return reinterpret_cast<const sockaddr*>(&address.address);
}

const char* unix_path(const ListenAddress& address) {
  return reinterpret_cast<const sockaddr_un*>(&address.address)->sun_path;
}

// Without one of these options, binding would fail later with a misleading reason.
Result<void> switch_on(int socket, int level, int option, const std::string& name, const std::string& text) {
  constexpr int kOn = 1;
  if (::setsockopt(socket, level, option, &kOn, sizeof(kOn)) == 0) return {};
  return fail_errno(fmt::format("cannot listen on {}: the system refuses the socket option {}", text, name),
                    errno);
}

// Options that the server can do without.
void tune(int socket) {
  // Accepted sockets inherit TCP_NODELAY. Heads leave with MSG_MORE, so Nagle's algorithm could only delay
  // them.
  constexpr int kOn = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof(kOn));
  // The kernel reports a connection only with its first request, so that it wakes the worker once, not
  // twice (tcp(7)).
  ::setsockopt(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, &kSilentSeconds, sizeof(kSilentSeconds));
}

Result<UniqueFd> make_socket(const ListenAddress& address) {
  UniqueFd socket(::socket(address.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return cannot_listen(address, errno);
  if (address.is_unix()) return socket;
  auto set = switch_on(socket.get(), SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR", address.text);
  if (set && address.address.ss_family == AF_INET6)
    set = switch_on(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY", address.text);
  if (!set) return Unexpected(set.error());
  return socket;
}

// With SO_REUSEPORT a second server of the same user would silently share the port. A plain bind shows that
// it is taken.
Result<void> check_free(const ListenAddress& address) {
  auto probe = make_socket(address);
  if (!probe) return Unexpected(probe.error());
  if (::bind(probe->get(), generic(address), address.length) != 0) return cannot_listen(address, errno);
  return {};
}

Unexpected no_socket_there(const ListenAddress& address) {
  return fail(fmt::format(
      "cannot listen on {}: there is a file that is not a socket; remove it or choose another", address.text));
}

// Removes a socket file that a dead server left behind. A file that still answers is in use.
Result<void> clear_unix_path(const ListenAddress& address) {
  const char* path = unix_path(address);
  struct stat status {};
  if (::lstat(path, &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return no_socket_there(address);
  // A blocking connect would wait if the socket's queue is full. EAGAIN says so, and that it is in use
  // (connect(2)).
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool connects = ::connect(probe.get(), generic(address), address.length) == 0;
  if (connects || errno == EAGAIN) return cannot_listen(address, EADDRINUSE);
  if (errno != ECONNREFUSED) return cannot_listen(address, errno);
  ::unlink(path);
  return {};
}

// Checks the folder where the file would be made, and connects to the file to see whether it is in use.
Result<std::string> try_unix_path(const ListenAddress& address, const std::string& in_use_by_own) {
  const std::string path = unix_path(address);
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return fail_errno(fmt::format("cannot listen on {}: the folder {} cannot be used", address.text, folder),
                      errno);
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return std::string();
  if (!S_ISSOCK(status.st_mode)) return no_socket_there(address);
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const bool taken = ::connect(probe.get(), generic(address), address.length) == 0;
  if (!taken && errno == ECONNREFUSED) return std::string();  // a dead server left it
  if (!taken && errno != EAGAIN) return cannot_listen(address, errno);
  ucred peer{};
  socklen_t size = sizeof(peer);
  const bool own =
      taken && ::getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
  return own ? Result<std::string>(in_use_by_own) : cannot_listen(address, EADDRINUSE);
}

// A Unix socket says that it listens even then.
bool is_shut_down(int socket) {
  int listens = 0;
  socklen_t size = sizeof(listens);
  if (::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens == 0) return true;
  pollfd events{socket, 0, 0};
  return ::poll(&events, 1, 0) > 0 && (events.revents & POLLHUP) != 0;
}

}  // namespace

Result<std::unique_ptr<ListenGroup>> ListenGroup::open(const ListenAddress& address, unsigned workers) {
  std::unique_ptr<ListenGroup> group(new ListenGroup);
  group->text_ = address.text;
  group->bound_ = address;
  const auto clear = address.is_unix() ? clear_unix_path(address) : check_free(address);
  if (!clear) return Unexpected(clear.error());
  const auto listening = group->provide(workers).and_then([&] { return group->listen(); });
  if (!listening) return Unexpected(listening.error());
  return group;
}

std::unique_ptr<ListenGroup> ListenGroup::inherit(const ListenAddress& address, std::vector<UniqueFd> sockets) {
  std::unique_ptr<ListenGroup> group(new ListenGroup);
  group->text_ = address.text;
  group->bound_ = address;
  group->inherited_ = true;
  group->sockets_ = std::move(sockets);
  for (const UniqueFd& socket : group->sockets_) {
    if (address.is_unix()) continue;
    tune(socket.get());
    // Lets try_address see that a server of the same user has the address.
    constexpr int kOn = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &kOn, sizeof(kOn));
  }
  group->listening_ = group->sockets_.size();
  return group;
}

std::unique_ptr<ListenGroup> ListenGroup::adopt(const std::string& text, std::vector<UniqueFd> sockets) {
  std::unique_ptr<ListenGroup> group(new ListenGroup);
  group->text_ = text;
  group->bound_.text = text;
  group->bound_.length = sizeof(group->bound_.address);
  ::getsockname(sockets.front().get(), reinterpret_cast<sockaddr*>(&group->bound_.address),
                &group->bound_.length);
  group->sockets_ = std::move(sockets);
  group->listening_ = group->sockets_.size();
  return group;
}

void ListenGroup::own_file() {
  struct stat about {};
  if (inherited_ || !bound_.is_unix() || ::lstat(unix_path(bound_), &about) != 0) return;
  device_ = about.st_dev;
  inode_ = about.st_ino;
}

void ListenGroup::hand_over(Handover& handover) const {
  if (inherited_) return;
  for (std::size_t i = 0; i < listening_; ++i) handover.sockets.push_back({sockets_[i].get(), text_, false});
}

ListenGroup::~ListenGroup() {
  if (!bound_.is_unix() || inherited_ || sockets_.empty()) return;
  // Another server, or a person, may have put another file in its place.
  struct stat about {};
  const char* path = unix_path(bound_);
  if (::lstat(path, &about) == 0 && about.st_dev == device_ && about.st_ino == inode_) ::unlink(path);
}

Result<void> ListenGroup::provide(unsigned workers) {
  const std::size_t wanted = bound_.is_unix() ? 1 : workers;
  while (!inherited_ && sockets_.size() < wanted) {
    const auto added = add_socket();
    if (!added) return added;
  }
  return {};
}

Result<void> ListenGroup::add_socket() {
  auto socket = make_socket(bound_);
  if (!socket) return Unexpected(socket.error());
  if (!bound_.is_unix()) {
    const auto set = switch_on(socket->get(), SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT", text_);
    if (!set) return set;
    tune(socket->get());
  }
  if (::bind(socket->get(), generic(bound_), bound_.length) != 0) return cannot_listen(bound_, errno);
  if (bound_.is_unix()) {
    // As with a port, every user who can get to the file may connect.
    ::chmod(unix_path(bound_), 0666);
    struct stat about {};
    if (::lstat(unix_path(bound_), &about) != 0) return cannot_listen(bound_, errno);
    device_ = about.st_dev;
    inode_ = about.st_ino;
  }
  // For port 0 the kernel chose a port. The sockets of the other workers use the same one.
  bound_.length = sizeof(bound_.address);
  ::getsockname(socket->get(), reinterpret_cast<sockaddr*>(&bound_.address), &bound_.length);
  sockets_.push_back(std::move(*socket));
  return {};
}

Result<void> ListenGroup::listen() {
  for (std::size_t i = listening_; i < sockets_.size(); ++i) {
    if (::listen(sockets_[i].get(), kBacklog) != 0) return cannot_listen(bound_, errno);
  }
  listening_ = sockets_.size();
  return {};
}

void ListenGroup::listen_again() {
  for (std::size_t i = 0; i < listening_; ++i) {
    if (!is_shut_down(sockets_[i].get())) continue;
    const auto again = bound_.is_unix() ? replace_unix_socket() : listen_again(sockets_[i].get());
    if (!again) log(LogLevel::error, "a module has shut a listening socket down: " + again.error().message);
  }
}

Result<void> ListenGroup::listen_again(int socket) const {
  // A port that the kernel chose is given up with it, and somebody else may have it by now. listen(2) would
  // then choose another port, at all addresses. Otherwise the socket is still bound (EINVAL).
  if (::bind(socket, generic(bound_), bound_.length) != 0 && errno != EINVAL)
    return cannot_listen(bound_, errno);
  if (::listen(socket, kBacklog) != 0) return cannot_listen(bound_, errno);
  return {};
}

// A Unix socket never listens again.
Result<void> ListenGroup::replace_unix_socket() {
  if (inherited_) return fail("the socket " + text_ + " was passed to the server: restart what has passed it");
  const auto clear = clear_unix_path(bound_);
  if (!clear) return Unexpected(clear.error());
  const auto added = add_socket();
  if (!added) return added;
  sockets_.erase(sockets_.begin());
  return ::listen(sockets_.back().get(), kBacklog) == 0 ? Result<void>() : cannot_listen(bound_, errno);
}

std::vector<int> ListenGroup::sockets_of(unsigned index, unsigned workers) const {
  std::vector<int> mine;
  if (is_shared()) {
    for (const UniqueFd& socket : sockets_) mine.push_back(socket.get());
    return mine;
  }
  // Sockets that are bound for more workers are left out until they listen.
  const std::size_t size = std::max<std::size_t>(listening_, workers);
  for (std::size_t i = index; i < size; i += workers) mine.push_back(sockets_[i].get());
  return mine;
}

void ListenGroup::close_all_but(const std::vector<ListeningSocket>& kept) {
  for (UniqueFd& socket : sockets_) {
    const auto is_it = [&](const ListeningSocket& one) { return one.fd == socket.get(); };
    if (std::none_of(kept.begin(), kept.end(), is_it)) socket.reset();
  }
}

std::uint16_t ListenGroup::port() const {
  // The port is at the same place for both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&bound_.address)->sin_port);
}

bool ListenGroup::is_at(const ListenAddress& address) const {
  return !bound_.is_unix() && bound_.length == address.length &&
         std::memcmp(&bound_.address, &address.address, address.length) == 0;
}

bool ListenGroup::is_of(const ListenAddress& address) const {
  if (text_ != address.text || bound_.address.ss_family != address.address.ss_family) return false;
  return bound_.is_unix() || numeric_host(bound_) == numeric_host(address);
}

std::string ListenGroup::url(bool tls) const {
  if (bound_.is_unix()) return text_ + " ";
  const std::size_t colon = text_.rfind(':');
  std::string host = text_.substr(0, colon);
  if (host.empty() || host == "*") host = "0.0.0.0";
  return fmt::format("{}://{}:{}", tls ? "https" : "http", host, port());
}

Result<std::string> try_address(const ListenAddress& address) {
  const std::string in_use_by_own =
      address.text + " is in use by a server of this user: a reload of that one takes it over";
  if (address.is_unix()) return try_unix_path(address, in_use_by_own);
  const auto free = check_free(address);
  if (free) return std::string();
  auto probe = make_socket(address);
  const int on = 1;
  // A port can only be shared with sockets of the same user (socket(7)).
  if (probe && ::setsockopt(probe->get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
      ::bind(probe->get(), generic(address), address.length) == 0)
    return in_use_by_own;
  return Unexpected(free.error());
}

}  // namespace sluice
