#include "check/client.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "http/http_fields.h"

namespace sluice::cli {

Client::Client(UniqueFd socket) : socket_(std::move(socket)) {
  llhttp_init(&parser_, HTTP_RESPONSE, &settings());
  parser_.data = this;
}

const llhttp_settings_t& Client::settings() {
  static const llhttp_settings_t kSettings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_header_field = &on_field_name;
    made.on_header_value = &on_field_value;
    made.on_header_value_complete = &on_field_complete;
    made.on_headers_complete = &on_head;
    made.on_body = &on_content;
    made.on_message_complete = &on_complete;
    return made;
  }();
  return kSettings;
}

int Client::on_field_name(llhttp_t* parser, const char* at, std::size_t size) {
  of(parser).name_.append(at, size);
  return 0;
}

int Client::on_field_value(llhttp_t* parser, const char* at, std::size_t size) {
  of(parser).value_.append(at, size);
  return 0;
}

int Client::on_field_complete(llhttp_t* parser) {
  Client& client = of(parser);
  if (!equals_ignoring_case(client.name_, "date")) {
    client.current_.head += client.name_ + ": " + client.value_ + "\n";
  }
  client.name_.clear();
  client.value_.clear();
  return 0;
}

// Returning 1 tells llhttp that no content follows.
int Client::on_head(llhttp_t* parser) {
  Client& client = of(parser);
  const unsigned status = parser->status_code;
  client.current_.status = status;
  if (!client.to_head_.empty() && client.to_head_.front()) return 1;
  client.streaming_ =
      status >= 200 && status != 204 && status != 304 && (parser->flags & F_CONTENT_LENGTH) == 0;
  return 0;
}

int Client::on_content(llhttp_t* parser, const char* at, std::size_t size) {
  ClientAnswer& answer = of(parser).current_;
  answer.size += size;
  for (std::size_t i = 0; i < size; ++i) {
    answer.hash = (answer.hash ^ static_cast<unsigned char>(at[i])) * 1099511628211ULL;
  }
  return 0;
}

int Client::on_complete(llhttp_t* parser) {
  Client& client = of(parser);
  if (client.current_.status >= 200) {
    client.answers_.push_back(client.current_);
    if (!client.to_head_.empty()) client.to_head_.pop_front();
  }
  client.current_ = ClientAnswer{};
  client.streaming_ = false;
  return 0;
}

void Client::send(std::string_view bytes, unsigned answers, bool to_head) {
  unsent_ += bytes;
  wanted_ += answers;
  to_head_.insert(to_head_.end(), answers, to_head);
}

bool Client::step() {
  if (ended_ || !socket_) return false;
  const bool sent = send_some();
  return receive_some() || sent;
}

bool Client::send_some() {
  if (unsent_.empty()) {
    if (finishing_) ::shutdown(socket_.get(), SHUT_WR);
    return std::exchange(finishing_, false);
  }
  const std::size_t wanted = std::min(unsent_.size(), sent_per_step_);
  const ssize_t sent = ::send(socket_.get(), unsent_.data(), wanted, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent <= 0) return false;  // full, or the peer is gone: reading will tell
  unsent_.erase(0, static_cast<std::size_t>(sent));
  return true;
}

bool Client::receive_some() {
  char buffer[16 * 1024];
  std::size_t left = bytes_per_step_;
  while (left > 0) {
    const ssize_t got = ::recv(socket_.get(), buffer, std::min(left, sizeof(buffer)), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (got <= 0) {
      end();
      return true;
    }
    left -= static_cast<std::size_t>(got);
    received_ += static_cast<std::size_t>(got);
    if (trouble_.empty() && llhttp_execute(&parser_, buffer, static_cast<std::size_t>(got)) != HPE_OK) {
      trouble_ = std::string("the answer is no HTTP: ") + llhttp_get_error_reason(&parser_);
    }
  }
  return left < bytes_per_step_;
}

void Client::end() {
  ended_ = true;
  if (trouble_.empty() && llhttp_finish(&parser_) != HPE_OK) trouble_ = "the answer ends too early";
  if (trouble_.empty() && !done()) trouble_ = "the connection ends without an answer";
}

void Client::hurry() {
  bytes_per_step_ = kPerStep;
  const int room = static_cast<int>(kPerStep);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
}

void Client::finish_sending() {
  finishing_ = true;
}

void Client::leave(bool reset) {
  if (reset) {
    const linger at_once{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  socket_.reset();
}

}  // namespace sluice::cli
