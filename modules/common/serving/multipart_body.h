// Several ranges of one file in one answer: multipart/byteranges (RFC 9110 section 14.6). Loop thread.
//
// The content of each part is an inner body, made by the handler when the part's turn comes. So what holds
// for one range (zero copy, never waiting for a disk) holds for each. The heads are made so late, too: a
// client that takes hundreds of parts slowly costs little more than their positions.
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

  // `type` is the file's Content-Type, `whole` its size.
  MultipartBody(std::vector<ByteRange> ranges, std::string_view type, std::uint64_t whole, MakeBody make_body);

  // The size of everything that it will write.
  std::uint64_t size() const;
  // "multipart/byteranges; boundary=..."
  std::string content_type() const;

  Progress pump(Sink& sink) override;

 private:
  // The head of a part; behind the last part, the final boundary.
  std::string text_before(std::size_t part) const;
  // Writes the rest of the text. True when all of it is written.
  bool write_text(Sink& sink, Progress& progress);

  const std::string boundary_;
  const std::string type_;
  const std::uint64_t whole_;
  const std::vector<ByteRange> ranges_;
  MakeBody make_body_;
  std::size_t part_ = 0;           // being sent
  std::string text_;               // before that part, while it is being written
  std::size_t text_written_ = 0;   // of the text
  std::unique_ptr<Body> content_;  // of the part in hand, once its head is written
};

}  // namespace sluice::files
