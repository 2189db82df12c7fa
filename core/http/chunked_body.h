// Parses a chunked body (RFC 9112 section 7.1): finds its content and its end.
//
// Strict: only CRLF ends a line, sizes need digits and must not overflow, and extensions and trailers must
// match their grammar. Extensions and trailers are then dropped, because the server knows none. The parser owns
// no bytes, and the body may come in pieces of any size. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

class ChunkedBody {
 public:
  enum class Outcome : std::uint8_t { more, done, broken };
  struct Result {
    Outcome outcome;
    std::size_t used = 0;    // bytes taken from the front, framing included
    std::string_view piece;  // the content at the end of these bytes; may be empty
  };

  // Begins a new body.
  void start() { *this = ChunkedBody(); }
  // Parses on until the end of a piece of content, or of the bytes.
  Result take(std::string_view bytes);
  // How many bytes of the current chunk's content are still to come.
  std::uint64_t chunk_left() const { return state_ == State::content ? size_ : 0; }

 private:
  enum class State : std::uint8_t {
    size_begin,
    size,
    size_lf,
    extension_gap,  // spaces that only a semicolon may follow
    extension_begin,
    extension_name,
    extension_name_gap,
    extension_value_begin,
    extension_value,
    extension_quoted,
    extension_escape,
    extension_quote_end,
    content,
    content_cr,
    content_lf,
    trailer_begin,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf,
    done,
    broken,
  };

  static State after_extension(char byte);
  State after_size_byte(char byte);
  State after_extension_byte(char byte) const;
  State after_trailer_byte(char byte) const;
  State after(char byte);

  State state_ = State::size_begin;
  std::uint64_t size_ = 0;  // the chunk's size; in its content, how much of it is left
};

}  // namespace sluice
