#include "common/multipart_body.h"

#include <sys/random.h>

#include <array>
#include <utility>

#include "common/http_text.h"

namespace sluice::files {
namespace {

// Nobody who wrote the file could have known it (RFC 2046 section 5.1.1 asks that it does not occur inside).
std::string make_boundary() {
  std::array<std::uint64_t, 2> random{};
  // Not seeded yet, early at boot, is the only failure: then the address space's layout is random enough.
  if (getrandom(random.data(), sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
    random[0] = reinterpret_cast<std::uintptr_t>(&random);
  }
  std::string boundary;
  for (const std::uint64_t part : random) append_hex(boundary, part);
  return boundary;
}

}  // namespace

MultipartBody::MultipartBody(const std::vector<ByteRange>& ranges, std::string_view type, std::uint64_t whole,
                             MakeBody make_body)
    : boundary_(make_boundary()), tail_("\r\n--" + boundary_ + "--\r\n"), make_body_(std::move(make_body)) {
  for (const ByteRange& range : ranges) {
    std::string head = (parts_.empty() ? "--" : "\r\n--") + boundary_ + "\r\n";
    head.append("Content-Type: ").append(type).append("\r\nContent-Range: ");
    head.append(content_range(range, whole)).append("\r\n\r\n");
    parts_.push_back({std::move(head), range});
  }
}

std::uint64_t MultipartBody::size() const {
  std::uint64_t size = tail_.size();
  for (const Part& part : parts_) size += part.head.size() + part.range.size();
  return size;
}

std::string MultipartBody::content_type() const {
  return "multipart/byteranges; boundary=" + boundary_;
}

bool MultipartBody::write_text(Sink& sink, std::string_view text, Progress& progress) {
  const Bytes left(text.substr(text_written_));
  const Moved moved = sink.write(&left, 1);
  text_written_ += moved.size;
  progress = moved.status == Io::lost ? Progress::failed : Progress::more;
  return text_written_ == text.size();
}

Progress MultipartBody::pump(Sink& sink) {
  Progress progress = Progress::more;
  for (; part_ < parts_.size(); ++part_) {
    const Part& part = parts_[part_];
    if (content_ == nullptr) {
      if (!write_text(sink, part.head, progress)) return progress;
      content_.reset(make_body_(part.range.first, part.range.size()));
    }
    progress = content_->pump(sink);
    if (progress != Progress::done) return progress;
    content_.reset();
    text_written_ = 0;
  }
  return write_text(sink, tail_, progress) ? Progress::done : progress;
}

}  // namespace sluice::files
