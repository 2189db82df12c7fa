// Finds the heads of frames in the bytes of an HTTP/2 client (RFC 9113 sections 3.4 and 4.1). A library that
// takes frames passes over some without a word, such as DATA for a stream that has ended.
//
// Plain values; any thread. One for each connection.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace sluice {

struct Http2FrameHead {
  std::uint32_t length = 0;  // of what follows the head, in bytes
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::int32_t stream = 0;  // 0: the connection
  bool is_empty = false;    // nothing follows the head, or only padding
};

class Http2FrameHeads {
 public:
  // Calls `found(head)` for each frame whose head is complete with these bytes, in their order.
  template <typename Found>
  void walk(std::string_view bytes, Found&& found) {
    while (!bytes.empty()) {
      if (passes_ == 0) {
        head_[have_++] = static_cast<std::uint8_t>(bytes.front());
        bytes.remove_prefix(1);
        if (have_ == needed()) found(take());
        continue;
      }
      const std::size_t passed = std::min<std::size_t>(passes_, bytes.size());
      bytes.remove_prefix(passed);
      passes_ -= static_cast<std::uint32_t>(passed);
    }
  }

 private:
  static constexpr std::size_t kHead = 9;
  static constexpr std::uint32_t kPreface = 24;

  // The byte after the head tells how long the padding is.
  bool is_padded_data() const {
    constexpr std::uint8_t kData = 0;
    constexpr std::uint8_t kPadded = 0x8;
    return have_ >= kHead && head_[3] == kData && (head_[4] & kPadded) != 0 && length() > 0;
  }
  std::size_t needed() const { return is_padded_data() ? kHead + 1 : kHead; }
  std::uint32_t length() const {
    return static_cast<std::uint32_t>(head_[0]) << 16 | static_cast<std::uint32_t>(head_[1]) << 8 | head_[2];
  }

  Http2FrameHead take() {
    const bool is_padded = is_padded_data();
    const std::uint32_t size = length();
    passes_ = is_padded ? size - 1 : size;
    have_ = 0;
    const std::uint32_t stream = (head_[5] & 0x7fU) << 24 | static_cast<std::uint32_t>(head_[6]) << 16 |
                                 static_cast<std::uint32_t>(head_[7]) << 8 | head_[8];
    return {size, head_[3], head_[4], static_cast<std::int32_t>(stream),
            is_padded ? head_[kHead] == size - 1 : size == 0};
  }

  std::array<std::uint8_t, kHead + 1> head_{};
  std::uint8_t have_ = 0;            // of it, in bytes
  std::uint32_t passes_ = kPreface;  // these bytes before the next head
};

}  // namespace sluice
