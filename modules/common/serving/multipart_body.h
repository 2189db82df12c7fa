// Several ranges of one file in one answer: multipart/byteranges (RFC 9110 section 14.6). Loop thread.
//
// Each part's content is an inner body of the strategy that serves the file, made when its turn comes, so what
// holds for one range (zero copy, never waiting for a disk) holds for all. So is its head: a client that takes
// hundreds of parts slowly costs little more than their positions.
#pragma once

#include <sluice/handler.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/byte_ranges.h"

namespace sluice::files {

class MultipartBody final : public Body {
 public:
  using MakeBody = std::function<Body*(std::uint64_t offset, std::uint64_t size)>;

  // `type` is the file's, `whole` its size.
  MultipartBody(std::vector<ByteRange> ranges, std::string_view type, std::uint64_t whole, MakeBody make_body);

  // Of everything that it will write.
  std::uint64_t size() const;
  // "multipart/byteranges; boundary=..."
  std::string content_type() const;

  Progress pump(Sink& sink) override;

 private:
  // The head of a part; behind the last one, the end.
  std::string text_before(std::size_t part) const;
  // Writes what is left of the text. True when nothing is.
  bool write_text(Sink& sink, Progress& progress);

  const std::string boundary_;
  const std::string type_;
  const std::uint64_t whole_;
  const std::vector<ByteRange> ranges_;
  MakeBody make_body_;
  std::size_t part_ = 0;           // in hand
  std::string text_;               // before it, while that is being written
  std::size_t text_written_ = 0;   // of the text
  std::unique_ptr<Body> content_;  // of the part in hand, once its head is written
};

}  // namespace sluice::files
