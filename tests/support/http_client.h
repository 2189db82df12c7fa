// A client that sends exactly the given bytes, and reads answers strictly. Blocking sockets with a time
// limit.
//
// Every failure (no connection, no answer in time, a malformed one) is thrown as std::runtime_error and fails
// the test. One thread each.
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
  bool complete = false;  // the body has its declared size, or its last chunk, or ends with the connection if
                          // neither is given

  std::size_t count(std::string_view name) const;
  bool has(std::string_view name) const { return count(name) > 0; }
  // The value of the first field of that name; empty if there is none.
  std::string field(std::string_view name) const;
};

class HttpClient {
 public:
  // With a small `receive_buffer` the client takes little at a time; with 0 the system chooses its size.
  explicit HttpClient(const Endpoint& endpoint, int timeout_ms = kClientTimeoutMs, int receive_buffer = 0);
  ~HttpClient();
  HttpClient(HttpClient&& other) noexcept;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void send(std::string_view bytes);
  // False when the server has closed or reset the connection.
  bool try_send(std::string_view bytes);
  void send_byte_by_byte(std::string_view bytes);
  // Sends one request without a body; `fields` are whole lines.
  void request(std::string_view method, std::string_view target, std::string_view fields = "");
  HttpAnswer get(std::string_view target, std::string_view fields = "");

  // `to_head`: the request was HEAD, so no body follows, even if the head declares one.
  HttpAnswer read_answer(bool to_head = false);
  // Reads the answer's head, and leaves its body unread.
  HttpAnswer read_head();
  // Reads what has come, and waits if nothing has; empty at the end.
  std::string read_available();
  // Reads up to this many bytes; fewer only at the end.
  std::string read_some(std::size_t size_max);
  std::string read_to_end();
  // Whether the server ends the connection without sending more.
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

// Sends one GET on a connection of its own, and asks the server to close it.
HttpAnswer fetch(const Endpoint& endpoint, std::string_view target, std::string_view fields = "");

// Raises this process' limit of open files, which programs started later inherit. False when that is not
// allowed.
bool allow_descriptors(std::size_t wanted);

// Makes one chunk: "5\r\nhello\r\n". An empty text makes the last one.
std::string chunk(std::string_view text);

}  // namespace sluice::test
