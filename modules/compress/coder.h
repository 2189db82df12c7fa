// Codes one stream of content: gzip, zstd or br, by their libraries. Loop thread.
//
// The most memory that a stream of texts, JSON, a program, runs of letters or noise took: gzip 261 KiB, zstd
// 1.1 MiB, br 1.3 MiB, and 2.7 MiB at level 4. The windows are chosen for that: 32 KiB for gzip, 128 KiB for
// the others, which is far below the 8 MiB that browsers decode (RFC 9659).
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
  // The same for a thread: with windows of up to 1 MiB, 8 MiB of content took 1.5 s and 25 MiB at most.
  virtual void begin_thorough(std::uint64_t size) = 0;
  // Writes kRoom bytes at most to `made`. A step that is not through is repeated with the rest of its input.
  // REQUIRES: the input is empty if `push` is not nothing.
  virtual Step step(Bytes input, Push push, char* made) = 0;
};

// Both this function and the methods throw std::runtime_error with what the library says, or std::bad_alloc.
// REQUIRES: not Coding::identity.
std::unique_ptr<Coder> make_coder(Coding coding);

// Those with which 16 KiB of the same contents took 4.2 ms at most; with the default levels it was 1.6 ms. Two
// letters in random order took gzip 103 ms at its level 9.
struct Levels {
  unsigned least;
  unsigned most;
};
Levels levels_of(Coding coding);

}  // namespace sluice::compress
