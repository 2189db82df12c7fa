// A client at the other end of a connection, run by the same thread as the server. It sends what it is given,
// takes as much as it may, and checks answers by llhttp.
//
// Owns its socket. Nothing here blocks.
#pragma once

#include <llhttp.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace sluice::cli {

struct ClientAnswer {
  unsigned status = 0;
  bool endless = false;  // a stream that was left at its beginning: size and hash mean nothing
  std::string head;      // status and field lines except Date, one a line
  std::uint64_t size = 0;
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a of the content

  bool operator==(const ClientAnswer&) const = default;
};

class Client {
 public:
  explicit Client(UniqueFd socket);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Queues bytes to send. They complete `answers` requests. `to_head`: these requests are HEAD.
  void send(std::string_view bytes, unsigned answers = 1, bool to_head = false);
  // From now on takes at most this many bytes in each step.
  void slow_down(std::size_t bytes_per_step) { bytes_per_step_ = bytes_per_step; }
  // From now on takes whatever comes, and lets the kernel buffer more.
  void hurry();
  // From now on sends at most this many bytes in each step.
  void trickle(std::size_t bytes_per_step) { sent_per_step_ = bytes_per_step; }
  // Sends and receives what it can. True when bytes moved.
  bool step();
  void finish_sending();
  // Closes: orderly, or by a reset.
  void leave(bool reset);

  // Complete answers only.
  const std::vector<ClientAnswer>& answers() const { return answers_; }
  bool done() const { return answers_.size() >= wanted_; }
  bool ended() const { return ended_; }  // the server has closed the connection
  // What is wrong with the received bytes, or with their end; empty when nothing is.
  const std::string& trouble() const { return trouble_; }
  std::uint64_t received() const { return received_; }
  // The head of an answer has come. Its content ends with the connection or the last chunk, and has not
  // ended.
  bool streaming() const { return streaming_; }
  // The answer under way, as far as it is known.
  const ClientAnswer& current() const { return current_; }

 private:
  static int on_field_name(llhttp_t* parser, const char* at, std::size_t size);
  static int on_field_value(llhttp_t* parser, const char* at, std::size_t size);
  static int on_field_complete(llhttp_t* parser);
  static int on_head(llhttp_t* parser);
  static int on_content(llhttp_t* parser, const char* at, std::size_t size);
  static int on_complete(llhttp_t* parser);
  static const llhttp_settings_t& settings();
  static Client& of(llhttp_t* parser) { return *static_cast<Client*>(parser->data); }
  bool send_some();
  bool receive_some();
  void end();

  UniqueFd socket_;
  llhttp_t parser_{};
  std::string unsent_;
  bool finishing_ = false;
  std::deque<bool> to_head_;  // of the requests that are not answered yet
  static constexpr std::size_t kPerStep = 256 * 1024;
  std::size_t bytes_per_step_ = kPerStep;
  std::size_t sent_per_step_ = kPerStep;
  std::string name_;
  std::string value_;
  ClientAnswer current_;
  bool streaming_ = false;
  std::vector<ClientAnswer> answers_;
  std::size_t wanted_ = 0;
  std::uint64_t received_ = 0;
  bool ended_ = false;
  std::string trouble_;
};

}  // namespace sluice::cli
