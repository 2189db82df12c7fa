// A client that says exactly what a test wants, and reads answers strictly: blocking sockets with a time limit.
//
// Whatever goes wrong (no connection, no answer in time, a malformed one) is thrown as std::runtime_error and
// fails the test. One thread each.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::test {

inline constexpr int kClientTimeoutMs = 15'000;

// Where a server listens: a port of 127.0.0.1, or a socket file.
struct Endpoint {
  std::uint16_t port = 0;
  std::string unix_path;  // instead of a port
};

struct HttpAnswer {
  int status = 0;
  std::string version;  // "HTTP/1.1"
  std::string reason;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;       // without its chunks' framing
  bool complete = false;  // the body has its declared size, its last chunk, or nothing but the end to end it

  std::size_t count(std::string_view name) const;
  bool has(std::string_view name) const { return count(name) > 0; }
  // The first one's value; empty without one.
  std::string field(std::string_view name) const;
};

class HttpClient {
 public:
  // A small `receive_buffer` makes a client that takes little at a time; 0 leaves it to the system.
  explicit HttpClient(const Endpoint& endpoint, int timeout_ms = kClientTimeoutMs, int receive_buffer = 0);
  ~HttpClient();
  HttpClient(HttpClient&& other) noexcept;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void send(std::string_view bytes);
  // False when the server has closed or reset the connection.
  bool try_send(std::string_view bytes);
  void send_byte_by_byte(std::string_view bytes);
  // One request without a body; `fields` are whole lines.
  void request(std::string_view method, std::string_view target, std::string_view fields = "");
  HttpAnswer get(std::string_view target, std::string_view fields = "");

  // `to_head`: the request was HEAD, so that no body follows whatever the head declares.
  HttpAnswer read_answer(bool to_head = false);
  // Until the answer's head, leaving its body unread.
  HttpAnswer read_head();
  // Up to this many bytes of what comes next; fewer only at the end.
  std::string read_some(std::size_t size_max);
  std::string read_to_end();
  // The server ends the connection, and nothing more comes.
  bool ends();
  bool was_reset() const { return reset_; }

  void finish_sending();  // half-closes
  void close_with_reset();
  int fd() const { return fd_; }

 private:
  bool fill();  // false at the end
  std::string read_line();
  bool read_exactly(std::string& body, std::uint64_t size);
  bool read_chunks(std::string& body);
  void read_content(HttpAnswer& answer);

  int fd_ = -1;
  std::string buffer_;
  std::size_t used_ = 0;  // from the front of buffer_
  bool reset_ = false;
};

// One GET on a connection of its own, which is asked to close.
HttpAnswer fetch(const Endpoint& endpoint, std::string_view target, std::string_view fields = "");

// Raises this process' limit of open files, which programs started later inherit. False when it may not.
bool allow_descriptors(std::size_t wanted);

// "5\r\nhello\r\n": one chunk; the empty text makes the last one.
std::string chunk(std::string_view text);

}  // namespace sluice::test
