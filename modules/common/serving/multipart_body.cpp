#include "common/serving/multipart_body.h"

#include <sys/random.h>

#include <array>
#include <ctime>
#include <utility>

#include "common/http/http_text.h"

namespace sluice::files {
namespace {

// The socket and the file are asked for each part, however small it is, so a turn has its limit of parts, too.
constexpr unsigned kPartsPerPumpMax = 16;

// Nobody who wrote the file could have known it (RFC 2046 section 5.1.1 asks that it does not occur inside).
std::string make_boundary() {
  std::array<std::uint64_t, 2> random{};
  // Refused early at boot, and by filters of system calls. Then the moment of this answer has to do, which
  // nobody knows to the nanosecond beforehand. An address would do, too, but is nothing to tell a client.
  if (getrandom(random.data(), sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
    static thread_local std::uint64_t answers = 0;
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    random = {static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec),
              ++answers};
  }
  std::string boundary;
  for (const std::uint64_t part : random) append_hex(boundary, part);
  return boundary;
}

}  // namespace

MultipartBody::MultipartBody(std::vector<ByteRange> ranges, std::string_view type, std::uint64_t whole,
                             MakeBody make_body)
    : boundary_(make_boundary()),
      type_(type),
      whole_(whole),
      ranges_(std::move(ranges)),
      make_body_(std::move(make_body)) {}

// The line end before the first boundary is there for clients that look for the delimiter with its line end;
// what stands before the first one is the preamble, which all ignore (RFC 2046 section 5.1.1).
std::string MultipartBody::text_before(std::size_t part) const {
  std::string text = "\r\n--" + boundary_;
  if (part == ranges_.size()) return text += "--\r\n";
  text.append("\r\nContent-Type: ").append(type_).append("\r\nContent-Range: ");
  return text.append(content_range(ranges_[part], whole_)).append("\r\n\r\n");
}

std::uint64_t MultipartBody::size() const {
  std::uint64_t size = text_before(ranges_.size()).size();
  for (std::size_t i = 0; i < ranges_.size(); ++i) size += text_before(i).size() + ranges_[i].size();
  return size;
}

std::string MultipartBody::content_type() const {
  return "multipart/byteranges; boundary=" + boundary_;
}

bool MultipartBody::write_text(Sink& sink, Progress& progress) {
  if (text_.empty()) text_ = text_before(part_);
  const Bytes left(std::string_view(text_).substr(text_written_));
  const Moved moved = sink.write(&left, 1);
  text_written_ += moved.size;
  progress = moved.status == Io::lost ? Progress::failed : Progress::more;
  if (text_written_ < text_.size()) return false;
  text_.clear();
  text_written_ = 0;
  return true;
}

Progress MultipartBody::pump(Sink& sink) {
  Progress progress = Progress::more;
  for (unsigned parts = 0; part_ < ranges_.size(); ++part_, ++parts) {
    if (parts == kPartsPerPumpMax) return Progress::more;
    if (content_ == nullptr) {
      if (!write_text(sink, progress)) return progress;
      content_.reset(make_body_(ranges_[part_].first, ranges_[part_].size()));
    }
    progress = content_->pump(sink);
    if (progress != Progress::done) return progress;
    content_.reset();
  }
  return write_text(sink, progress) ? Progress::done : progress;
}

}  // namespace sluice::files
