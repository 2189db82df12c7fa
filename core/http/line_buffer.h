// A text that is put together of many short pieces, for which std::string takes several times as long: room is
// asked for once a piece, and pieces of known sizes are copied by a few instructions.
//
// Plain values; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/kept_memory.h"

namespace sluice {

class LineBuffer {
 public:
  // An escape of one byte takes at most this many.
  static constexpr std::size_t kEscapeMax = 6;

  // Valid until the next change.
  std::string_view text() const { return {bytes_.data(), size_}; }
  void clear() { size_ = 0; }
  // Frees the room when it is more; the text is lost.
  void give_back_above(std::size_t capacity_max) {
    sluice::give_back_above(bytes_, capacity_max);
    size_ = 0;
  }

  // A literal, without its 0.
  template <std::size_t kSize>
  void add(const char (&literal)[kSize]) {
    std::memcpy(room(kSize - 1), literal, kSize - 1);
    size_ += kSize - 1;
  }
  void add(std::string_view piece) {
    std::copy(piece.begin(), piece.end(), room(piece.size()));
    size_ += piece.size();
  }
  void add(char byte) {
    *room(1) = byte;
    ++size_;
  }
  void add_number(std::uint64_t number) {
    constexpr std::size_t kDigitsMax = 20;
    char* const begin = room(kDigitsMax);
    end_at(std::to_chars(begin, begin + kDigitsMax, number).ptr);
  }
  // In units of 10 to the power of -kDigits: 1500 is "1.500" with three digits.
  template <int kDigits>
  void add_fraction(std::uint64_t number) {
    constexpr std::uint64_t kUnit = power_of_ten(kDigits);
    add_number(number / kUnit);
    char* const digits = room(kDigits + 1);
    digits[0] = '.';
    std::uint64_t rest = number % kUnit;
    for (int i = kDigits; i > 0; --i, rest /= 10) digits[i] = static_cast<char>('0' + rest % 10);
    size_ += kDigits + 1;
  }
  // Adds a plain byte as it is, and each other one by `escape(to, byte)`, which returns the end of what it
  // wrote.
  template <typename Escape>
  void add_escaped(std::string_view piece, Escape escape) {
    char* to = room(piece.size() * kEscapeMax);
    for (const char c : piece) {
      const auto byte = static_cast<unsigned char>(c);
      if (kPlain[byte]) {
        *to++ = c;
      } else {
        to = escape(to, byte);
      }
    }
    end_at(to);
  }

 private:
  // Printable ASCII, without '"' and '\\'.
  static constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t byte = 0x20; byte < 0x7f; ++byte) plain[byte] = byte != '"' && byte != '\\';
    return plain;
  }();

  static constexpr std::uint64_t power_of_ten(int exponent) {
    std::uint64_t power = 1;
    for (int i = 0; i < exponent; ++i) power *= 10;
    return power;
  }

  char* room(std::size_t size) {
    if (bytes_.size() - size_ < size) [[unlikely]]
      grow(size);
    return bytes_.data() + size_;
  }
  // Apart, so that the compiler inlines the others.
  [[gnu::noinline]] void grow(std::size_t size) { bytes_.resize(std::max(size_ + size, 2 * bytes_.size())); }
  void end_at(const char* end) { size_ = static_cast<std::size_t>(end - bytes_.data()); }

  std::vector<char> bytes_;
  std::size_t size_ = 0;
};

}  // namespace sluice
