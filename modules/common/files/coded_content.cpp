#include "common/files/coded_content.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace sluice::files {
namespace {

constexpr std::uint64_t kWindowMax = 8 << 20;
constexpr std::uint32_t kFrameMagic = 0xFD2FB528;
constexpr std::uint32_t kSkippableMagic = 0x184D2A50;
constexpr std::uint32_t kSkippableMask = 0xFFFFFFF0;

// Reads numbers at places of a file that mostly lie close together. The number of reads is limited; what was
// found by then decides.
class NumberReader {
 public:
  NumberReader(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  std::uint64_t size() const { return size_; }

  // The little-endian number of `bytes` bytes. Nothing behind the end of the file.
  std::optional<std::uint64_t> number(std::uint64_t offset, std::size_t bytes) {
    if (bytes > size_ || offset > size_ - bytes) return std::nullopt;
    if ((offset < begin_ || offset + bytes > end_) && !fill(offset, bytes)) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i > 0; --i) {
      value = value << 8 | static_cast<unsigned char>(buffer_[offset - begin_ + i - 1]);
    }
    return value;
  }

 private:
  static constexpr std::size_t kBufferSize = 16 * 1024;
  static constexpr unsigned kReadsMax = 64 * 1024;  // blocks of 8 GiB, each with a read of its own

  bool fill(std::uint64_t offset, std::size_t bytes) {
    if (reads_++ == kReadsMax) return false;
    const ssize_t got = ::pread(fd_, buffer_.data(), buffer_.size(), static_cast<off_t>(offset));
    begin_ = offset;
    end_ = offset + static_cast<std::uint64_t>(std::max<ssize_t>(got, 0));
    return end_ - begin_ >= bytes;
  }

  const int fd_;
  const std::uint64_t size_;
  unsigned reads_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  std::array<char, kBufferSize> buffer_;
};

// What a frame's head says (RFC 8878 section 3.1.1.1).
struct FrameHead {
  std::uint64_t size = 0;
  std::uint64_t window = 0;
  std::uint64_t dictionary = 0;
  bool has_checksum = false;
};

// Nothing if the file ends before the head does.
std::optional<FrameHead> read_frame_head(NumberReader& reader, std::uint64_t offset) {
  constexpr std::array<std::size_t, 4> kDictionarySizes = {0, 1, 2, 4};
  constexpr std::array<std::size_t, 4> kContentSizeSizes = {0, 2, 4, 8};
  constexpr std::uint64_t kShortestTwoByteSize = 256;
  std::uint64_t at = offset + 4;
  const auto descriptor = reader.number(at++, 1);
  if (!descriptor) return std::nullopt;
  const bool single_segment = (*descriptor & 0x20) != 0;
  FrameHead head;
  head.has_checksum = (*descriptor & 0x04) != 0;
  if (!single_segment) {
    const auto window = reader.number(at++, 1);
    if (!window) return std::nullopt;
    const std::uint64_t base = std::uint64_t{1} << (10 + (*window >> 3));
    head.window = base + base / 8 * (*window & 7);
  }
  const std::size_t dictionary_size = kDictionarySizes[*descriptor & 3];
  const auto dictionary = reader.number(at, dictionary_size);
  if (!dictionary) return std::nullopt;
  head.dictionary = *dictionary;
  at += dictionary_size;
  std::size_t content_size_size = kContentSizeSizes[*descriptor >> 6];
  if (content_size_size == 0 && single_segment) content_size_size = 1;
  const auto content_size = reader.number(at, content_size_size);
  if (!content_size) return std::nullopt;
  if (single_segment) head.window = *content_size + (content_size_size == 2 ? kShortestTwoByteSize : 0);
  head.size = at + content_size_size - offset;
  return head;
}

// Where the blocks that begin at `at` end. Nothing if the file ends first, or if no valid block is there.
std::optional<std::uint64_t> end_of_blocks(NumberReader& reader, std::uint64_t at) {
  constexpr std::uint64_t kHeadSize = 3;
  enum Type : std::uint64_t { raw, repeated, compressed, reserved };
  for (;;) {
    const auto head = reader.number(at, kHeadSize);
    if (!head) return std::nullopt;
    const std::uint64_t type = *head >> 1 & 3;
    if (type == reserved) return std::nullopt;
    at += kHeadSize + (type == repeated ? 1 : *head >> 3);
    if ((*head & 1) != 0) return at;
  }
}

bool zstd_is_decoded(int fd, std::uint64_t size) {
  constexpr std::uint64_t kChecksumSize = 4;
  NumberReader reader(fd, size);
  for (std::uint64_t at = 0; at < size;) {
    const auto magic = reader.number(at, 4);
    if (!magic) return true;
    if ((*magic & kSkippableMask) == kSkippableMagic) {
      const auto skipped = reader.number(at + 4, 4);
      if (!skipped) return true;
      at += 8 + *skipped;
      continue;
    }
    if (*magic != kFrameMagic) return true;
    const auto head = read_frame_head(reader, at);
    if (!head) return true;
    if (head->window > kWindowMax || head->dictionary != 0) return false;
    const auto end = end_of_blocks(reader, at + head->size);
    if (!end) return true;
    at = *end + (head->has_checksum ? kChecksumSize : 0);
  }
  return true;
}

// A large window sets the first seven bits to the pattern that RFC 7932 section 9.1 leaves unused.
bool brotli_is_decoded(int fd, std::uint64_t size) {
  const auto first = NumberReader(fd, size).number(0, 1);
  return !first || (*first & 0x7F) != 0x11;
}

}  // namespace

bool browsers_decode(int fd, std::uint64_t size, Coding coding) {
  switch (coding) {
    case Coding::zstd:
      return zstd_is_decoded(fd, size);
    case Coding::br:
      return brotli_is_decoded(fd, size);
    default:
      return true;
  }
}

}  // namespace sluice::files
