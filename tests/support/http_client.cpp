#include "support/http_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace sluice::test {
namespace {

constexpr std::size_t kReceiveSize = 64 * 1024;
constexpr std::size_t kLineMax = 64 * 1024;

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error("http client: " + what);
}

bool same_name(std::string_view one, std::string_view other) {
  return one.size() == other.size() && ::strncasecmp(one.data(), other.data(), one.size()) == 0;
}

std::uint64_t to_number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    give_up("'" + std::string(text) + "' is no number");
  }
  return value;
}

int connect_to(const Endpoint& endpoint, int receive_buffer, int timeout_ms) {
  const bool is_unix = !endpoint.unix_path.empty();
  const int fd = ::socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up(std::string("socket: ") + std::strerror(errno));
  if (receive_buffer > 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  const timeval limit{timeout_ms / 1000, (timeout_ms % 1000) * 1000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  int result = 0;
  if (is_unix) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    endpoint.unix_path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  } else {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  if (result == 0) return fd;
  const int error = errno;
  ::close(fd);
  give_up(std::string("connect: ") + std::strerror(error));
}

}  // namespace

std::size_t HttpAnswer::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      fields.begin(), fields.end(), [&](const auto& field) { return same_name(field.first, name); }));
}

std::string HttpAnswer::field(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const auto& field) { return same_name(field.first, name); });
  return found == fields.end() ? std::string() : found->second;
}

HttpClient::HttpClient(const Endpoint& endpoint, int timeout_ms, int receive_buffer)
    : fd_(connect_to(endpoint, receive_buffer, timeout_ms)) {}

HttpClient::~HttpClient() {
  if (fd_ >= 0) ::close(fd_);
}

HttpClient::HttpClient(HttpClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)),
      used_(std::exchange(other.used_, 0)),
      reset_(other.reset_) {}

void HttpClient::send(std::string_view bytes) {
  if (!try_send(bytes)) give_up("the server closed the connection while it was sent to");
}

bool HttpClient::try_send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET) return false;
    give_up(std::string("send: ") + std::strerror(errno));
  }
  return true;
}

void HttpClient::send_byte_by_byte(std::string_view bytes) {
  for (const char& byte : bytes) send({&byte, 1});
}

void HttpClient::request(std::string_view method, std::string_view target, std::string_view fields) {
  std::string text(method);
  text.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n").append(fields).append("\r\n");
  send(text);
}

HttpAnswer HttpClient::get(std::string_view target, std::string_view fields) {
  request("GET", target, fields);
  return read_answer();
}

bool HttpClient::fill() {
  if (used_ > kReceiveSize) {
    buffer_.erase(0, used_);
    used_ = 0;
  }
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kReceiveSize);
  ssize_t got = 0;
  do {
    got = ::recv(fd_, buffer_.data() + before, kReceiveSize, 0);
  } while (got < 0 && errno == EINTR);
  const int error = errno;
  buffer_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got > 0) return true;
  if (got < 0 && error == ECONNRESET) reset_ = true;
  if (got < 0 && error != ECONNRESET) {
    give_up(error == EAGAIN ? "nothing came in time" : std::string("recv: ") + std::strerror(error));
  }
  return false;
}

std::string HttpClient::read_line() {
  for (;;) {
    const std::size_t end = buffer_.find("\r\n", used_);
    if (end != std::string::npos) {
      const std::string line = buffer_.substr(used_, end - used_);
      used_ = end + 2;
      return line;
    }
    if (buffer_.size() - used_ > kLineMax) give_up("a line is too long");
    if (!fill()) {
      give_up(std::string(reset_ ? "reset" : "ended") + " within a line, behind '" + buffer_.substr(used_) +
              "'");
    }
  }
}

bool HttpClient::read_exactly(std::string& body, std::uint64_t size) {
  while (size > 0) {
    if (used_ == buffer_.size() && !fill()) return false;
    const std::uint64_t part = std::min<std::uint64_t>(size, buffer_.size() - used_);
    body.append(buffer_, used_, part);
    used_ += part;
    size -= part;
  }
  return true;
}

bool HttpClient::read_chunks(std::string& body) {
  for (;;) {
    if (buffer_.find("\r\n", used_) == std::string::npos) {
      if (!fill()) return false;
      continue;
    }
    const std::uint64_t size = to_number(read_line(), 16);
    std::string line_end;
    if (size > 0 && !read_exactly(body, size)) return false;
    if (!read_exactly(line_end, 2)) return false;
    if (line_end != "\r\n") give_up("a chunk does not end where it should");
    if (size == 0) return true;
  }
}

HttpAnswer HttpClient::read_head() {
  HttpAnswer answer;
  const std::string line = read_line();
  if (line.size() < 12 || line.substr(0, 5) != "HTTP/" || line[8] != ' ') give_up("no status line: " + line);
  answer.version = line.substr(0, 8);
  answer.status = static_cast<int>(to_number(std::string_view(line).substr(9, 3), 10));
  answer.reason = line.size() > 13 ? line.substr(13) : "";
  for (std::string field = read_line(); !field.empty(); field = read_line()) {
    const std::size_t colon = field.find(": ");
    if (colon == std::string::npos) give_up("no field: " + field);
    answer.fields.emplace_back(field.substr(0, colon), field.substr(colon + 2));
  }
  return answer;
}

void HttpClient::read_content(HttpAnswer& answer) {
  if (answer.count("Content-Length") + answer.count("Transfer-Encoding") > 1) give_up("framed in two ways");
  if (answer.field("Transfer-Encoding") == "chunked") {
    answer.complete = read_chunks(answer.body);
  } else if (answer.has("Content-Length")) {
    answer.complete = read_exactly(answer.body, to_number(answer.field("Content-Length"), 10));
  } else {
    answer.body = read_to_end();
    answer.complete = !reset_;
  }
}

HttpAnswer HttpClient::read_answer(bool to_head) {
  HttpAnswer answer = read_head();
  if (to_head || answer.status / 100 == 1 || answer.status == 204 || answer.status == 304) {
    answer.complete = true;
  } else {
    read_content(answer);
  }
  return answer;
}

std::string HttpClient::read_some(std::size_t size_max) {
  std::string text;
  read_exactly(text, size_max);
  return text;
}

std::string HttpClient::read_available() {
  if (used_ == buffer_.size() && !fill()) return "";
  std::string some = buffer_.substr(used_);
  used_ = buffer_.size();
  return some;
}

std::string HttpClient::read_to_end() {
  std::string text;
  for (;;) {
    text.append(buffer_, used_);
    used_ = buffer_.size();
    if (!fill()) return text;
  }
}

bool HttpClient::ends() {
  return used_ == buffer_.size() && !fill();
}

void HttpClient::finish_sending() {
  ::shutdown(fd_, SHUT_WR);
}

void HttpClient::close_with_reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  ::close(std::exchange(fd_, -1));
}

HttpAnswer fetch(const Endpoint& endpoint, std::string_view target, std::string_view fields) {
  HttpClient client(endpoint);
  return client.get(target, std::string("Connection: close\r\n").append(fields));
}

bool allow_descriptors(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, std::max<rlim_t>(limit.rlim_cur, wanted));
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur >= wanted;
}

std::string chunk(std::string_view text) {
  char size[20];
  std::snprintf(size, sizeof(size), "%zx\r\n", text.size());
  return size + std::string(text) + "\r\n";
}

}  // namespace sluice::test
