// WebSocket (RFC 6455) for modules, since interface 1.2. Derive a class from WebSocket for one client, and call
// `accept` in the handler:
//
//     class Member final : public sluice::kit::WebSocket {
//       void on_text(std::string_view message) override { send_text(message); }
//     };
//     void handle(sluice::Exchange& exchange) override {
//       sluice::kit::WebSocket::accept(exchange, host_, std::make_shared<Member>());
//     }
//
// Loop thread. An exception that leaves a method of yours is logged by the server, and cuts the connection.
#pragma once

#include <sluice/handler.h>
#include <sluice/kit/websocket_coding.h>
#include <sluice/kit/websocket_frames.h>
#include <sluice/kit/websocket_handshake.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::kit {

struct WebSocketOptions {
  std::size_t message_max = 1024 * 1024;  // of a client's message; longer ones end the connection with 1009
  std::size_t queue_max = 1024 * 1024;    // bytes that wait for the client; see `send_text`
  std::uint64_t ping_ms = 30'000;  // a client that has not answered the last ping is cut off; 0: no pings
  std::uint64_t close_ms = 5'000;  // for a client to answer a close
  WebSocketOrigins origins{};
  std::string_view protocol{};  // if the client names it, it is agreed on; empty: none
  WebSocketCodings codings{};   // see websocket_deflate.h; none: no extension
};

class WebSocket : private Timer {
 public:
  virtual ~WebSocket() { stop_timer(); }
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // Upgrades the exchange; `socket` then lives as long as the connection, and may be kept longer. Otherwise
  // answers with 400, 403 or 426, and returns false. One object is for one connection: std::logic_error if it
  // was accepted before.
  static bool accept(Exchange& exchange, Host& host, std::shared_ptr<WebSocket> socket,
                     const WebSocketOptions& options = {}) {
    const WebSocketAsk ask = judge_websocket(exchange, options.origins);
    if (ask.refusal != 0) {
      if (ask.refusal == 426) exchange.field("Sec-WebSocket-Version", "13");
      exchange.fail(ask.refusal);
      return false;
    }
    socket->begin(exchange, host, ask, options);
    auto reader = std::make_unique<Listening>(socket);
    auto body = std::make_unique<Speaking>(socket);
    if (!exchange.upgrade("websocket", reader.release(), body.release())) return false;
    socket->is_told_ = false;
    try {
      socket->on_open();
    } catch (...) {
      socket->fail(close_code::kFailed);
      throw;
    }
    return true;
  }

  // Sends a message. False, and nothing is sent, if the connection is closing, if more than `queue_max` bytes
  // wait for the client already, or if the text is not UTF-8: leave the message out, or close.
  bool send_text(std::string_view message) { return is_utf8(message) && send(WebSocketOpcode::text, message); }
  bool send_binary(std::string_view message) { return send(WebSocketOpcode::binary, message); }
  // Ends the connection in order. Messages that were sent before still leave.
  void close(std::uint16_t code = close_code::kNormal, std::string_view reason = {}) {
    if (state_ != State::open) return;
    state_ = State::closing;
    append_frame(out_, WebSocketOpcode::close, may_close_with(code) ? close_content(code, reason) : "");
    stop_timer();
    timer_ = host_->timer(close_ms_, *this);
    resume();
  }
  bool is_open() const { return state_ == State::open; }
  // Bytes that wait for the client.
  std::size_t queued() const { return out_.size() - sent_; }
  // The protocol that was agreed on.
  std::string_view protocol() const { return protocol_; }

 protected:
  WebSocket() = default;
  Host& host() { return *host_; }

  // The connection is accepted, and messages may be sent.
  virtual void on_open() {}
  // A whole message. The view ends with the call.
  virtual void on_text(std::string_view message) { static_cast<void>(message); }
  virtual void on_binary(std::string_view message) { static_cast<void>(message); }
  // The last call: the client's close code, or kNoCode or kAbnormal. Nothing can be sent any more.
  virtual void on_close(std::uint16_t code) { static_cast<void>(code); }

 private:
  enum class State : std::uint8_t {
    open,
    closing,   // this side has sent its close, and waits for the client's
    finished,  // both have; what is queued leaves, and then the connection ends
    gone,      // reader or body was destroyed
  };

  class Listening final : public Reader {
   public:
    explicit Listening(std::shared_ptr<WebSocket> socket) : socket_(std::move(socket)) {}
    ~Listening() override { socket_->gone(); }
    std::uint64_t take(Bytes piece) override { return socket_->take(piece); }
    void end() override { socket_->finish(close_code::kAbnormal); }

   private:
    const std::shared_ptr<WebSocket> socket_;
  };
  class Speaking final : public Body {
   public:
    explicit Speaking(std::shared_ptr<WebSocket> socket) : socket_(std::move(socket)) {}
    ~Speaking() override { socket_->gone(); }
    Progress pump(Sink& sink) override { return socket_->pump(sink); }

   private:
    const std::shared_ptr<WebSocket> socket_;
  };

  void begin(Exchange& exchange, Host& host, const WebSocketAsk& ask, const WebSocketOptions& options) {
    if (frames_ != nullptr) throw std::logic_error("this WebSocket was accepted before");
    host_ = &host;
    state_ = State::open;
    message_max_ = options.message_max;
    queue_max_ = options.queue_max;
    close_ms_ = options.close_ms;
    ticket_ = exchange.ticket();
    if (!ask.key.empty()) exchange.field("Sec-WebSocket-Accept", websocket_accept(ask.key));
    if (!options.protocol.empty() && ask.names(options.protocol)) {
      protocol_ = options.protocol;
      exchange.field("Sec-WebSocket-Protocol", protocol_);
    }
    std::string answer;
    if (options.codings != nullptr) coding_ = options.codings(ask.extensions, answer);
    if (coding_ != nullptr) exchange.field("Sec-WebSocket-Extensions", answer);
    frames_ = std::make_unique<WebSocketFrames>(options.message_max, coding_ != nullptr);
    if (options.ping_ms > 0) timer_ = host.every(options.ping_ms, *this);
  }

  void resume() { host_->resume(ticket_); }

  bool send(WebSocketOpcode opcode, std::string_view message) {
    if (state_ != State::open || queued() > queue_max_) return false;
    const bool coded = coding_ != nullptr && coding_->code(message, coded_);
    append_frame(out_, opcode, coded ? std::string_view(coded_) : message, coded);
    keep_little(coded_);
    resume();
    return true;
  }

  // Answers to pings are queued as well, so a client that takes none must not send more. What is decoded at
  // once is bounded, because the loop waits for it.
  std::uint64_t take(std::string_view bytes) {
    constexpr std::size_t kDecodedAtOnce = 256 * 1024;
    const std::size_t all = bytes.size();
    is_answered_ = true;
    decoded_now_ = 0;
    while (state_ < State::finished && queued() <= queue_max_ && decoded_now_ < kDecodedAtOnce) {
      const auto message = frames_->take(bytes);
      if (frames_->error() != 0) {
        fail(frames_->error());
      } else if (!message) {
        break;
      } else {
        act_on(*message);
      }
    }
    if (state_ >= State::finished) return all;  // what comes behind the end is passed over
    is_paused_ = !bytes.empty();
    if (is_paused_ && queued() <= queue_max_) resume();
    return all - bytes.size();
  }

  void act_on(const WebSocketFrames::Message& message) {
    switch (message.opcode) {
      case WebSocketOpcode::ping:
        return append_pong(message.content);
      case WebSocketOpcode::pong:
        return;
      case WebSocketOpcode::close:
        return take_close(message.content);
      default:
        break;
    }
    if (state_ != State::open) return;  // it crossed this side's close
    std::string_view content = message.content;
    if (message.coded) {
      const std::uint16_t wrong = coding_->decode(content, message_max_, decoded_);
      if (wrong != 0) return fail(wrong);
      content = decoded_;
      decoded_now_ += decoded_.size();
      if (message.opcode == WebSocketOpcode::text && !is_utf8(content)) return fail(close_code::kInvalidText);
    }
    message.opcode == WebSocketOpcode::text ? on_text(content) : on_binary(content);
    keep_little(decoded_);
  }

  void append_pong(std::string_view content) {
    if (state_ != State::open) return;
    append_frame(out_, WebSocketOpcode::pong, content);
    resume();
  }

  void take_close(std::string_view content) {
    const ClientClose close = judge_close(content);
    if (close.error != 0) return fail(close.error);
    if (state_ == State::open) append_frame(out_, WebSocketOpcode::close, content.substr(0, 2));
    finish(close.code);
  }

  // The client has broken the rules: it is told, and not listened to any more (section 7.1.7).
  void fail(std::uint16_t code) {
    if (state_ == State::open) append_frame(out_, WebSocketOpcode::close, close_content(code, {}));
    finish(code);
  }

  void finish(std::uint16_t code) {
    if (state_ >= State::finished) return;
    state_ = State::finished;
    resume();
    tell_close(code);
  }

  // The exchange has ended.
  void gone() {
    const bool was_open = state_ < State::finished;
    state_ = State::gone;
    stop_timer();
    if (!was_open) return;
    // A destructor calls, so nothing may be thrown.
    try {
      tell_close(close_code::kAbnormal);
    } catch (...) {
      log_quietly("on_close has thrown");
    }
  }

  void log_quietly(const char* what) {
    try {
      host_->log(LogLevel::error, what);
    } catch (...) {  // there is no memory
    }
  }

  void tell_close(std::uint16_t code) {
    if (!std::exchange(is_told_, true)) on_close(code);
  }

  Progress pump(Sink& sink) {
    if (is_cut_ && queued() > 0) return Progress::failed;
    if (queued() > 0) {
      const Bytes piece(std::string_view(out_).substr(sent_));
      sent_ += static_cast<std::size_t>(sink.write(&piece, 1).size);
      drop_sent();
    }
    if (queued() > 0) return Progress::more;
    if (state_ >= State::finished) return Progress::done;
    if (std::exchange(is_paused_, false)) resume();  // the reader, because too much was queued
    return Progress::parked;
  }

  void drop_sent() {
    if (queued() == 0) {
      out_.clear();
      keep_little(out_);
      sent_ = 0;
    } else if (sent_ > kKeptMax && sent_ > queued()) {
      out_.erase(0, std::exchange(sent_, 0));
    }
  }

  // A connection at rest keeps no large buffer.
  static void keep_little(std::string& buffer) {
    if (buffer.capacity() > kKeptMax) buffer = std::string();
  }

  // While something waits for the client, the server itself sees to it that the client takes it.
  void fired() override {
    if (state_ == State::closing) return cut();
    if (state_ != State::open) return;
    if (queued() > 0) {
      is_answered_ = true;
    } else if (!std::exchange(is_answered_, false)) {
      cut();
    } else {
      append_frame(out_, WebSocketOpcode::ping, {});
      resume();
    }
  }

  // The client has not answered in time: what is queued is not sent any more.
  void cut() {
    is_cut_ = true;
    finish(close_code::kAbnormal);
  }

  void stop_timer() {
    if (timer_.value != 0) host_->cancel(std::exchange(timer_, {}));
  }

  static constexpr std::size_t kKeptMax = 16 * 1024;

  Host* host_ = nullptr;
  Ticket ticket_{};
  std::size_t message_max_ = 0;
  std::size_t queue_max_ = 0;
  std::uint64_t close_ms_ = 0;
  std::unique_ptr<WebSocketFrames> frames_;
  std::unique_ptr<WebSocketCoding> coding_;
  std::string protocol_;
  std::string out_;
  std::size_t sent_ = 0;  // of out_
  std::string coded_;
  std::string decoded_;
  std::size_t decoded_now_ = 0;  // by the current call of `take`
  TimerId timer_{};              // for pings while it is open, then for the client's close
  State state_ = State::gone;
  bool is_answered_ = true;  // something has come since the last ping
  bool is_paused_ = false;   // the reader has left bytes
  bool is_told_ = true;      // on_close needs not be called
  bool is_cut_ = false;
};

}  // namespace sluice::kit
