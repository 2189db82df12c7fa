// Clients of the test module "numbered" over HTTP/1 and HTTP/2: they make bytes of what they want, and judge
// what comes back.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "numbered_answers.h"
#include "served.h"
#include "support/http2_wire.h"

namespace sluice::fuzz {

using test::Http2Wire;

// Letters of the module "numbered".
inline constexpr std::string_view kLetters = "drRhtslLcnFHpfeuo";

// A plan, and what else there is to know of a request.
struct Wish {
  std::string path;
  std::string number;
  std::string_view method;
  std::size_t body = 0;  // bytes
  bool has_body = false;
  bool chunked = false;
  bool expects = false;
  bool closes = false;
  bool is_old = false;  // HTTP/1.0
  bool may_hang = false;
};

inline Wish a_wish(Steps& steps, unsigned number) {
  constexpr std::string_view kMethods[] = {"GET", "POST", "HEAD", "PUT"};
  Wish wish;
  const unsigned how = steps.byte();
  wish.method = kMethods[how % std::size(kMethods)];
  wish.has_body = wish.method.starts_with('P');
  wish.chunked = (how & 4U) != 0;
  wish.expects = (how & 8U) != 0;
  wish.closes = (how & 0x10U) != 0;
  wish.is_old = (how & 0x60U) == 0x60U;
  if (wish.has_body) wish.body = steps.byte() * 16U;
  std::string plan = "x";  // an empty one would make no step of a path
  for (const char byte : steps.bytes((how >> 7U) == 0 ? 3 : 8))
    plan.push_back(kLetters[static_cast<unsigned char>(byte) % kLetters.size()]);
  wish.number = std::to_string(number);
  wish.path = "/numbered/" + plan + "/" + wish.number;
  wish.may_hang = plan.find('e') != std::string::npos;
  return wish;
}

// One side of a protocol: makes bytes of wishes, and judges what comes back.
class Side {
 public:
  virtual ~Side() = default;
  virtual void ask(const Wish& wish) = 0;
  virtual void send_body(std::size_t size) = 0;
  virtual void send_raw(std::string_view bytes) = 0;
  // What only this protocol has.
  virtual void do_otherwise(Steps& steps) = 0;
  // `sent`: so many bytes of all were sent.
  virtual void take(std::string_view bytes, std::size_t sent) = 0;
  // Sends what is due, so that all can be answered.
  virtual void finish() = 0;
  virtual void end(std::size_t sent) = 0;
  // Whether all that was asked for is answered.
  virtual bool all_answered() = 0;

  std::string unsent;
  std::size_t made = 0;   // bytes of all
  bool raw = false;       // its bytes may mean anything
  bool may_hang = false;  // an answer may not come, or not end

 protected:
  void add(std::string_view bytes) {
    unsent += bytes;
    made += bytes.size();
  }
};

class Http1Side final : public Side {
 public:
  void ask(const Wish& wish) override {
    finish();
    const std::size_t begins = made;
    std::string head(wish.method);
    head += " " + wish.path + (wish.is_old ? " HTTP/1.0\r\n" : " HTTP/1.1\r\nHost: a\r\n");
    chunked_ = wish.chunked && !wish.is_old;
    if (wish.has_body)
      head +=
          chunked_ ? "Transfer-Encoding: chunked\r\n" : "Content-Length: " + std::to_string(wish.body) + "\r\n";
    if (wish.has_body && wish.expects) head += "Expect: 100-continue\r\n";
    if (wish.closes) head += "Connection: close\r\n";
    add(head + "\r\n");
    owed_ = wish.has_body ? wish.body : 0;
    chunked_ = chunked_ && wish.has_body;
    if (!raw) answers_.will_ask({wish.number, wish.method == "HEAD", begins, made});
  }
  void send_body(std::size_t size) override {
    size = std::min(size, owed_);
    if (size == 0) return;
    owed_ -= size;
    char line[16];
    std::snprintf(line, sizeof(line), "%zx\r\n", size);
    add(chunked_ ? line + std::string(size, 'b') + "\r\n" : std::string(size, 'b'));
  }
  void send_raw(std::string_view bytes) override {
    if (bytes.empty()) return;
    raw = true;
    answers_.lose_track();
    add(bytes);
  }
  void do_otherwise(Steps& steps) override { send_raw(steps.bytes(steps.byte())); }
  void take(std::string_view bytes, std::size_t sent) override { answers_.take(bytes, sent); }
  void finish() override {
    send_body(owed_);
    if (std::exchange(chunked_, false)) add("0\r\n\r\n");
  }
  void end(std::size_t sent) override { answers_.end(sent); }
  bool all_answered() override { return answers_.answered() == answers_.asked(); }

 private:
  NumberedAnswers answers_;
  std::size_t owed_ = 0;  // of the last request's body
  bool chunked_ = false;
};

class Http2Side final : public Side {
 public:
  explicit Http2Side(unsigned how) {
    wire_.opens_windows = (how & 2U) != 0;
    add((how & 4U) != 0 ? wire_.preface()
                        : wire_.preface({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (how & 0xf0U) * 16U}}));
    may_hang = !wire_.opens_windows || (how & 4U) == 0;
  }
  void ask(const Wish& wish) override {
    test::Fields more;
    if (wish.has_body && wish.expects) more.emplace_back("expect", "100-continue");
    if (wish.closes) more.emplace_back("priority", "u=1, i");
    const bool ends = !wish.has_body || wish.body == 0;
    add(wire_.headers(next_, wire_.ask(wish.path, std::string(wish.method), more), ends));
    streams_.emplace(next_, Stream{wish.number, ends ? 0 : wish.body});
    next_ += 2;
  }
  void send_body(std::size_t size) override {
    for (auto& [id, stream] : streams_) {
      if (stream.owed > 0) return send_body(id, stream, size);
    }
  }
  void send_raw(std::string_view bytes) override {
    if (bytes.empty()) return;
    raw = true;
    add(bytes);
  }
  void do_otherwise(Steps& steps) override {
    const unsigned what = steps.byte();
    const std::uint32_t id = 1 + 2 * (steps.byte() % 8U);
    switch (what % 8) {
      case 0:
        if (const auto stream = streams_.find(id); stream != streams_.end()) stream->second.owed = 0;
        may_hang = true;
        return add(Http2Wire::reset(id));
      case 1:
        return add(Http2Wire::frame(NGHTTP2_PING, 0, 0, "12345678"));
      case 2:
        return add(Http2Wire::window_update(0, 1 + what));
      case 3:
        may_hang = true;
        return add(Http2Wire::window_update(id, 1 + what));
      case 4:
        may_hang = true;
        return add(Http2Wire::frame(NGHTTP2_SETTINGS, 0, 0, std::string("\0\4\0\0\4\0", 6)));
      case 5:
        raw = true;
        return add(Http2Wire::frame(static_cast<std::uint8_t>(what >> 4U),
                                    static_cast<std::uint8_t>(steps.byte()), id, steps.bytes(steps.byte())));
      default:
        return send_raw(steps.bytes(steps.byte()));
    }
  }
  void take(std::string_view bytes, std::size_t) override {
    wire_.take(bytes);
    add(wire_.due());
  }
  void finish() override {
    for (auto& [id, stream] : streams_) send_body(id, stream, stream.owed);
  }
  void end(std::size_t) override {
    for (std::uint32_t id = 1; id < next_; id += 2) {
      if (!wire_.has(id)) continue;
      const test::Http2Answer& answer = wire_.answer(id);
      const std::string number = answer.field("asked");
      const bool is_page = number.empty() && answer.status != "200";  // of the server
      expect(raw || is_page || number == streams_.at(id).number, "an answer is the one to its request");
      if (!number.empty() && answer.status == "200") expect_numbered(answer.content, number);
    }
  }
  bool all_answered() override {
    return std::all_of(streams_.begin(), streams_.end(),
                       [this](const auto& stream) { return wire_.is_done(stream.first); });
  }

 private:
  struct Stream {
    std::string number;
    std::size_t owed = 0;
  };
  void send_body(std::uint32_t id, Stream& stream, std::size_t size) {
    size = std::min(size, stream.owed);
    if (size == 0) return;
    stream.owed -= size;
    add(Http2Wire::data(id, std::string(size, 'b'), stream.owed == 0));
  }

  Http2Wire wire_;
  std::map<std::uint32_t, Stream> streams_;
  std::uint32_t next_ = 1;
};

}  // namespace sluice::fuzz
