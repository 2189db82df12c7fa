// Frames of WebSocket (RFC 6455 section 5): takes the client's apart, and makes the server's. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::kit {

enum class WebSocketOpcode : std::uint8_t { more = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// Why a connection is closed (RFC 6455 section 7.4.1).
namespace close_code {
inline constexpr std::uint16_t kNormal = 1000;
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kProtocolError = 1002;
inline constexpr std::uint16_t kUnsupported = 1003;
inline constexpr std::uint16_t kNoCode = 1005;    // the peer has closed and has not said why; never sent
inline constexpr std::uint16_t kAbnormal = 1006;  // the connection broke off; never sent
inline constexpr std::uint16_t kInvalidText = 1007;
inline constexpr std::uint16_t kPolicy = 1008;
inline constexpr std::uint16_t kTooLong = 1009;
inline constexpr std::uint16_t kFailed = 1011;
inline constexpr std::uint16_t kRestarts = 1012;
}  // namespace close_code

// Whether a peer may send this code. 3000 to 4999 are for libraries and applications.
constexpr bool may_close_with(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

// Judges UTF-8 piece by piece (RFC 3629): no surrogates, nothing overlong, nothing above U+10FFFF.
class Utf8Judge {
 public:
  // False as soon as no text can begin so.
  bool take(std::string_view bytes) {
    for (const char c : bytes) {
      const auto byte = static_cast<unsigned char>(c);
      if (left_ > 0) {
        if (byte < low_ || byte > high_) return false;
        low_ = 0x80, high_ = 0xbf;
        --left_;
      } else if (!begin(byte)) {
        return false;
      }
    }
    return true;
  }
  // Whether the last character is whole.
  bool is_whole() const { return left_ == 0; }

 private:
  bool begin(unsigned char byte) {
    if (byte < 0x80) return true;
    if (byte < 0xc2 || byte > 0xf4) return false;
    left_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    low_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    high_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    return true;
  }

  unsigned left_ = 0;  // bytes of the current character
  unsigned char low_ = 0x80;
  unsigned char high_ = 0xbf;
};

inline bool is_utf8(std::string_view text) {
  Utf8Judge judge;
  return judge.take(text) && judge.is_whole();
}

// Takes the frames of a client apart. Messages may come in several frames, with control frames in between.
class WebSocketFrames {
 public:
  // A message, or a control frame. Its content is valid until the next call.
  struct Message {
    WebSocketOpcode opcode = WebSocketOpcode::text;
    bool coded = false;  // by an extension: RSV1 was set
    std::string_view content;
  };

  // `coded`: an extension may code messages. Messages longer than `size_max` are refused.
  WebSocketFrames(std::size_t size_max, bool coded) : size_max_(size_max), may_be_coded_(coded) {}

  // Takes bytes off the front: up to the end of a message, or all of them if there is none. After an error,
  // `error` is a close code, and nothing more is taken.
  std::optional<Message> take(std::string_view& bytes) {
    if (is_told_) tell_next();
    while (error_ == 0 && (!bytes.empty() || is_in_empty_frame())) {
      if (!in_content_) {
        take_head(bytes);
      } else if (take_content(bytes) && error_ == 0) {
        if (auto whole = end_frame()) return whole;
      }
    }
    return std::nullopt;
  }
  std::uint16_t error() const { return error_; }

 private:
  static constexpr std::size_t kControlMax = 125;
  static constexpr std::size_t kHeadMax = 14;

  bool is_in_empty_frame() const { return in_content_ && left_ == 0; }
  bool is_control() const { return (opcode_ & 8) != 0; }

  void take_head(std::string_view& bytes) {
    head_[head_size_++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (head_size_ < 2) return;
    const unsigned short_size = head_[1] & 0x7fU;
    const std::size_t size_bytes = short_size == 126 ? 2 : short_size == 127 ? 8 : 0;
    if (head_size_ == 2) judge_head(short_size);
    if (error_ != 0 || head_size_ < 2 + size_bytes + sizeof(mask_)) return;
    left_ = short_size;
    if (size_bytes > 0) {
      left_ = 0;
      for (std::size_t i = 0; i < size_bytes; ++i) left_ = left_ << 8 | head_[2 + i];
    }
    // Each size has one form, the shortest (section 5.2).
    if ((size_bytes == 2 && left_ < 126) || (size_bytes == 8 && (left_ < 65536 || left_ >> 63 != 0)))
      return fail(close_code::kProtocolError);
    if (!is_control() && left_ > size_max_ - content_.size()) return fail(close_code::kTooLong);
    for (std::size_t i = 0; i < sizeof(mask_); ++i) mask_[i] = head_[2 + size_bytes + i];
    head_size_ = masked_ = 0;
    in_content_ = true;
  }

  void judge_head(unsigned short_size) {
    opcode_ = head_[0] & 0x0fU;
    is_last_ = (head_[0] & 0x80U) != 0;
    const bool coded = (head_[0] & 0x40U) != 0;
    const bool is_known = opcode_ <= 2 || (opcode_ >= 8 && opcode_ <= 10);
    const bool is_masked = (head_[1] & 0x80U) != 0;
    const bool begins = opcode_ == 1 || opcode_ == 2;
    if (!is_known || !is_masked || (head_[0] & 0x30U) != 0) return fail(close_code::kProtocolError);
    if (coded && (!begins || !may_be_coded_)) return fail(close_code::kProtocolError);
    if (is_control() && (!is_last_ || short_size > kControlMax)) return fail(close_code::kProtocolError);
    if (!is_control() && begins == in_message_) return fail(close_code::kProtocolError);
    if (!begins) return;
    message_opcode_ = opcode_;
    in_message_ = true;
    is_coded_ = coded;
    text_ = {};
  }

  // Whether the frame is whole.
  bool take_content(std::string_view& bytes) {
    std::string& to = is_control() ? control_ : content_;
    const std::size_t begin = to.size();
    const std::size_t size = left_ < bytes.size() ? static_cast<std::size_t>(left_) : bytes.size();
    to.append(bytes.substr(0, size));
    bytes.remove_prefix(size);
    left_ -= size;
    for (std::size_t i = begin; i < to.size(); ++i)
      to[i] = static_cast<char>(static_cast<unsigned char>(to[i]) ^ mask_[masked_++ % sizeof(mask_)]);
    // Text that is no text is noticed at once (section 8.1).
    if (!is_control() && message_opcode_ == 1 && !is_coded_ &&
        !text_.take(std::string_view(content_).substr(begin)))
      fail(close_code::kInvalidText);
    return left_ == 0;
  }

  std::optional<Message> end_frame() {
    in_content_ = false;
    if (!is_control() && !is_last_) return std::nullopt;
    if (!is_control() && message_opcode_ == 1 && !is_coded_ && !text_.is_whole()) {
      fail(close_code::kInvalidText);
      return std::nullopt;
    }
    is_told_ = true;
    if (is_control()) return Message{static_cast<WebSocketOpcode>(opcode_), false, control_};
    return Message{static_cast<WebSocketOpcode>(message_opcode_), is_coded_, content_};
  }

  // The last message was seen.
  void tell_next() {
    is_told_ = false;
    if (is_control()) return control_.clear();
    in_message_ = false;
    constexpr std::size_t kKeptMax = 16 * 1024;
    if (content_.capacity() > kKeptMax) content_ = std::string();
    content_.clear();
  }

  void fail(std::uint16_t code) { error_ = code; }

  std::size_t size_max_;
  bool may_be_coded_;
  unsigned char head_[kHeadMax] = {};
  std::size_t head_size_ = 0;
  unsigned char mask_[4] = {};
  std::size_t masked_ = 0;
  std::uint64_t left_ = 0;  // content of the current frame that is still to come
  unsigned opcode_ = 0;     // of the current frame
  unsigned message_opcode_ = 0;
  std::uint16_t error_ = 0;
  bool is_last_ = false;
  bool in_content_ = false;
  bool in_message_ = false;
  bool is_coded_ = false;
  bool is_told_ = false;  // the caller has the last message
  Utf8Judge text_;
  std::string content_;  // of the message
  std::string control_;
};

// Appends a frame of the server, which is whole and not masked.
inline void append_frame(std::string& out, WebSocketOpcode opcode, std::string_view content,
                         bool coded = false) {
  constexpr std::size_t kHeadMax = 10;
  out.reserve(out.size() + kHeadMax + content.size());  // all of the frame or nothing
  out += static_cast<char>(0x80U | (coded ? 0x40U : 0U) | static_cast<unsigned>(opcode));
  const std::uint64_t size = content.size();
  const int size_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  out += static_cast<char>(size_bytes == 0 ? size : size_bytes == 2 ? 126 : 127);
  for (int i = size_bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i) & 0xffU);
  out += content;
}

// The content of a close frame: its code and a reason, which is cut to what fits, at the end of a character.
inline std::string close_content(std::uint16_t code, std::string_view reason) {
  constexpr std::size_t kReasonMax = 123;
  reason = reason.substr(0, kReasonMax);
  while (!is_utf8(reason)) reason.remove_suffix(1);
  std::string content;
  content += static_cast<char>(code >> 8);
  content += static_cast<char>(code & 0xffU);
  return content.append(reason);
}

// A client's close frame.
struct ClientClose {
  std::uint16_t code = close_code::kNoCode;
  std::uint16_t error = 0;  // the code to close with if the frame is wrong
};

inline ClientClose judge_close(std::string_view content) {
  if (content.empty()) return {};
  if (content.size() == 1) return {close_code::kNoCode, close_code::kProtocolError};
  const auto code = static_cast<std::uint16_t>(static_cast<unsigned char>(content[0]) << 8 |
                                               static_cast<unsigned char>(content[1]));
  if (!may_close_with(code)) return {code, close_code::kProtocolError};
  return {code, is_utf8(content.substr(2)) ? std::uint16_t{0} : close_code::kInvalidText};
}

}  // namespace sluice::kit
