// Takes a chunked body apart (RFC 9112 section 7.1): what is its content, and where it ends.
//
// Strict: a line ends with CRLF and nothing else, sizes have digits and no overflow, extensions and trailers
// obey their grammar. Both are then dropped, as nobody here knows any. Owns no bytes, and may be cut anywhere.
// Any thread.
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
    std::string_view piece;  // content at their end; may be empty
  };

  // Expects a new body.
  void start() { *this = ChunkedBody(); }
  // Goes on where it stopped: behind each piece of content, or at the bytes' end.
  Result take(std::string_view bytes);
  // What is still to come of the content of the chunk that it is in.
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
  std::uint64_t size_ = 0;  // of the chunk; while in its content, what is left of it
};

}  // namespace sluice
