// What a client of the test module "numbered" may get back over HTTP/1: the answers to its requests in their
// order, each with the number of its request throughout. Content that has come so far counts.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "expect.h"
#include "support/numbered.h"

namespace sluice::fuzz {

// The page of an answer that is the server's own has no number.
inline void expect_numbered(std::string_view content, std::string_view number) {
  expect(content == test::numbered_content(number, 0, content.size()), "content is that of the request");
}

class NumberedAnswers {
 public:
  struct Request {
    std::string number;
    bool is_head = false;
    std::size_t begins = 0;  // of all bytes that the client sends, where its head begins and ends
    std::size_t ends = 0;
  };

  void will_ask(Request request) { requests_.push_back(std::move(request)); }
  std::size_t asked() const { return requests_.size(); }
  std::size_t answered() const { return answered_; }
  // From now on the client asks for what is not known here.
  void lose_track() { lost_ = true; }

  // `sent` bytes of the client's have been sent.
  void take(std::string_view bytes, std::size_t sent) {
    left_ += bytes;
    while (!left_.empty() && take_one(sent, false)) {
    }
  }
  // Nothing more comes.
  void end(std::size_t sent) {
    if (!left_.empty()) take_one(sent, true);
  }

 private:
  // What a head says of its content.
  struct Content {
    std::size_t from = 0;
    std::optional<std::size_t> size;  // nullopt: up to the end of the connection
    bool chunked = false;
  };

  static std::string field(std::string_view head, std::string_view name) {
    const std::size_t at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string_view::npos) return "";
    const std::string_view rest = head.substr(at + name.size() + 4);
    return std::string(rest.substr(0, rest.find("\r\n")));
  }

  // Takes a whole answer off the front. False when there is none.
  bool take_one(std::size_t sent, bool at_end) {
    if (answered_ == requests_.size() && lost_) {
      left_.clear();
      return false;
    }
    constexpr std::string_view kBegin = "HTTP/1.1 ";
    const std::size_t known = std::min(left_.size(), kBegin.size());
    expect(left_.compare(0, known, kBegin, 0, known) == 0, "an answer begins where the last one ends");
    const std::size_t head_end = left_.find("\r\n\r\n");
    if (head_end == std::string::npos) return false;
    const std::string_view head = std::string_view(left_).substr(0, head_end + 4);
    const int status = std::atoi(left_.c_str() + kBegin.size());
    if (status < 200) {
      left_.erase(0, head.size());
      return true;
    }
    const std::string number = field(head, "asked");
    expect(answered_ < requests_.size(), "an answer has a request");
    const Request& request = requests_[answered_];
    expect(sent > request.begins, "an answer does not come before its request");
    expect(number.empty() || number == request.number, "an answer is the one to its request");
    expect(number.empty() || sent >= request.ends, "a module does not answer before the whole head has come");
    expect(!number.empty() || status >= 400, "an answer without a number is the server's own");
    Content content{head.size(), std::nullopt, field(head, "Transfer-Encoding") == "chunked"};
    if (const std::string size = field(head, "Content-Length"); !size.empty()) content.size = std::stoul(size);
    if (request.is_head || status == 204 || status == 304) content = {head.size(), 0, false};
    return take_content(content, status == 200 ? request.number : "", at_end);
  }

  // `number` is empty for a page of the server.
  bool take_content(const Content& content, const std::string& number, bool at_end) {
    std::size_t end = content.from;
    std::string bytes;
    bool whole = false;
    if (content.chunked) {
      whole = take_chunks(end, bytes);
    } else {
      const std::size_t there = left_.size() - content.from;
      whole = content.size && *content.size <= there;
      bytes = left_.substr(content.from, content.size.value_or(there));
      end += bytes.size();
    }
    if (!number.empty()) expect_numbered(bytes, number);
    if (!whole && !at_end) return false;
    left_.erase(0, end);
    if (whole) ++answered_;
    return whole;
  }
  // Whether the last one is there.
  bool take_chunks(std::size_t& at, std::string& bytes) const {
    for (;;) {
      const std::size_t line_end = left_.find("\r\n", at);
      if (line_end == std::string::npos) return false;
      const std::size_t size = std::strtoull(left_.c_str() + at, nullptr, 16);
      bytes += left_.substr(line_end + 2, size);
      at = line_end + 2 + size + 2;
      if (at > left_.size()) return false;
      expect(left_.compare(at - 2, 2, "\r\n") == 0, "a chunk is as long as it says");
      if (size == 0) return true;
    }
  }

  std::vector<Request> requests_;
  std::size_t answered_ = 0;
  bool lost_ = false;
  std::string left_;
};

}  // namespace sluice::fuzz
