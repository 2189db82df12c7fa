// Reads the answers that a client has received, one by one (HTTP/1).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace sluice::test {

class AnswerReader {
 public:
  // Takes all answers that are whole off the front. False when what stands there is none.
  bool take(std::string_view received) {
    left_ += received;
    while (!left_.empty()) {
      const std::size_t begin_size = std::min(left_.size(), kBegin.size());
      if (left_.compare(0, begin_size, kBegin, 0, begin_size) != 0) return false;
      const std::size_t head_size = left_.find("\r\n\r\n");
      if (head_size == std::string::npos) return true;
      const std::size_t size = size_of(std::string_view(left_).substr(0, head_size + 4));
      if (size == 0 || size > left_.size()) return size != 0 || open_ended_;
      left_.erase(0, size);
      ++whole_;
    }
    return true;
  }
  // Something of another answer has come.
  bool in_the_middle() const { return !left_.empty(); }
  // Its content ends with the connection.
  bool open_ended() const { return open_ended_; }
  unsigned whole() const { return whole_; }

 private:
  static constexpr std::string_view kBegin = "HTTP/1.1 ";

  // With its content; more than there is when it is not whole, 0 where only the connection's end ends it.
  std::size_t size_of(std::string_view head) {
    if (head.substr(kBegin.size(), 1) == "1") return head.size();
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    if (const std::size_t at = head.find(kLength); at != std::string_view::npos)
      return head.size() + std::strtoull(head.data() + at + kLength.size(), nullptr, 10);
    if (head.find("\r\nTransfer-Encoding: chunked") == std::string_view::npos) {
      open_ended_ = head.find("\r\nConnection: close") != std::string_view::npos;
      return 0;
    }
    return chunked_size(head.size());
  }
  std::size_t chunked_size(std::size_t at) const {
    for (;;) {
      const std::size_t line_end = left_.find("\r\n", at);
      if (line_end == std::string::npos) return left_.size() + 1;
      const std::size_t size = std::strtoull(left_.c_str() + at, nullptr, 16);
      at = line_end + 2 + size + 2;
      if (at > left_.size() || size == 0) return at;
    }
  }

  std::string left_;
  unsigned whole_ = 0;
  bool open_ended_ = false;
};

}  // namespace sluice::test
