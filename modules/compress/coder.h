// Codes one stream of content: gzip, zstd or br, by their libraries. Loop thread.
//
// Memory of a stream, measured with the default levels: gzip 270 KiB, zstd and br 1.1 MiB at most. The windows
// are chosen for that: 32 KiB for gzip, 128 KiB for the others, which is far below the 8 MiB that browsers
// decode (RFC 9659). br takes up to 4 MiB at the levels 4 and 5.
#pragma once

#include <sluice/abi.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/http/content_coding.h"

namespace sluice::compress {

using files::Coding;

// What happens behind the input of a step.
enum class Push : std::uint8_t {
  nothing,  // the coder keeps what it wants
  flush,    // all that was taken so far can be decoded from what is made
  end,      // the content is complete
};

struct Step {
  std::size_t taken = 0;  // of the input
  std::size_t made = 0;
  bool is_through = false;  // the input is taken, and the push is complete
};

class Coder {
 public:
  // Room for what a step makes. zlib repeats the mark of a flush if it has less than seven bytes.
  static constexpr std::size_t kRoom = 16 * 1024;

  virtual ~Coder() = default;
  // Begins a stream, in place of the last one. `size` is that of the content, or kUnknownSize.
  virtual void begin(unsigned level, std::uint64_t size) = 0;
  // Writes kRoom bytes at most to `made`. A step that is not through is repeated with the rest of its input.
  // REQUIRES: the input is empty if `push` is not nothing.
  virtual Step step(Bytes input, Push push, char* made) = 0;
};

// Both this function and the methods throw std::runtime_error with what the library says, or std::bad_alloc.
// REQUIRES: not Coding::identity.
std::unique_ptr<Coder> make_coder(Coding coding);

struct Levels {
  unsigned least;
  unsigned most;
};
Levels levels_of(Coding coding);

}  // namespace sluice::compress
