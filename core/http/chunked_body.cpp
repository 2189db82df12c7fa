#include "http/chunked_body.h"

#include <algorithm>

#include "http/http_fields.h"

namespace sluice {
namespace {

constexpr std::uint64_t kSizeMax = UINT64_MAX >> 4;

bool is_blank(char byte) {
  return byte == ' ' || byte == '\t';
}

bool is_token_byte(char byte) {
  return is_token({&byte, 1});
}

// A byte of quoted strings and field values: any but control bytes other than the tab (RFC 9110 section 5.5).
bool is_text_byte(char byte) {
  return byte == '\t' || (static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7f);
}

}  // namespace

ChunkedBody::Result ChunkedBody::take(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::done && state_ != State::broken) {
    if (state_ == State::content) {
      const std::string_view piece = bytes.substr(at, std::min<std::uint64_t>(size_, bytes.size() - at));
      size_ -= piece.size();
      if (size_ == 0) state_ = State::content_cr;
      return {Outcome::more, at + piece.size(), piece};
    }
    state_ = after(bytes[at++]);
  }
  if (state_ == State::broken) return {Outcome::broken, at, {}};
  return {state_ == State::done ? Outcome::done : Outcome::more, at, {}};
}

ChunkedBody::State ChunkedBody::after(char byte) {
  switch (state_) {
    case State::size_begin:
    case State::size:
      return after_size_byte(byte);
    case State::size_lf:
      if (byte != '\n') return State::broken;
      return size_ == 0 ? State::trailer_begin : State::content;
    case State::content_cr:
      return byte == '\r' ? State::content_lf : State::broken;
    case State::content_lf:
      return byte == '\n' ? State::size_begin : State::broken;
    case State::trailer_begin:
    case State::trailer_name:
    case State::trailer_value:
    case State::trailer_lf:
      return after_trailer_byte(byte);
    case State::end_lf:
      return byte == '\n' ? State::done : State::broken;
    default:
      return after_extension_byte(byte);
  }
}

// chunk-size = 1*HEXDIG
ChunkedBody::State ChunkedBody::after_size_byte(char byte) {
  const int digit = hex_value(byte);
  if (digit >= 0) {
    if (state_ == State::size_begin) size_ = 0;
    if (size_ > kSizeMax) return State::broken;
    size_ = size_ << 4 | static_cast<std::uint64_t>(digit);
    return State::size;
  }
  return state_ == State::size_begin ? State::broken : after_extension(byte);
}

// The state after a byte where an extension may begin.
ChunkedBody::State ChunkedBody::after_extension(char byte) {
  if (byte == ';') return State::extension_begin;
  if (byte == '\r') return State::size_lf;
  return is_blank(byte) ? State::extension_gap : State::broken;
}

// chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
ChunkedBody::State ChunkedBody::after_extension_byte(char byte) const {
  switch (state_) {
    case State::extension_gap:
      return byte == '\r' ? State::broken : after_extension(byte);
    case State::extension_begin:
      if (is_blank(byte)) return State::extension_begin;
      return is_token_byte(byte) ? State::extension_name : State::broken;
    case State::extension_name:
      if (is_token_byte(byte)) return State::extension_name;
      if (byte == '=') return State::extension_value_begin;
      return is_blank(byte) ? State::extension_name_gap : after_extension(byte);
    case State::extension_name_gap:
      if (byte == '=') return State::extension_value_begin;
      if (is_blank(byte)) return State::extension_name_gap;
      return byte == ';' ? State::extension_begin : State::broken;
    case State::extension_value_begin:
      if (is_blank(byte)) return State::extension_value_begin;
      if (byte == '"') return State::extension_quoted;
      return is_token_byte(byte) ? State::extension_value : State::broken;
    case State::extension_value:
      return is_token_byte(byte) ? State::extension_value : after_extension(byte);
    case State::extension_quoted:
      if (byte == '"') return State::extension_quote_end;
      if (byte == '\\') return State::extension_escape;
      return is_text_byte(byte) ? State::extension_quoted : State::broken;
    case State::extension_escape:
      return is_text_byte(byte) ? State::extension_quoted : State::broken;
    case State::extension_quote_end:
      return after_extension(byte);
    default:
      return State::broken;
  }
}

// trailer-section = *( field-line CRLF ), and CRLF (RFC 9112 section 7.1.2)
ChunkedBody::State ChunkedBody::after_trailer_byte(char byte) const {
  switch (state_) {
    case State::trailer_begin:
      if (byte == '\r') return State::end_lf;
      return is_token_byte(byte) ? State::trailer_name : State::broken;
    case State::trailer_name:
      if (byte == ':') return State::trailer_value;
      return is_token_byte(byte) ? State::trailer_name : State::broken;
    case State::trailer_value:
      if (byte == '\r') return State::trailer_lf;
      return is_text_byte(byte) ? State::trailer_value : State::broken;
    default:
      return byte == '\n' ? State::trailer_begin : State::broken;
  }
}

}  // namespace sluice
