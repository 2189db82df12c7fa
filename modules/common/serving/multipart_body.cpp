#include "common/serving/multipart_body.h"

#include <sys/random.h>

#include <array>
#include <ctime>
#include <utility>

#include "common/http/http_text.h"

namespace sluice::files {
namespace {

// Each part costs calls for the socket and the file, however small it is. So a pump has a limit of parts,
// too.
constexpr unsigned kPartsPerPumpMax = 16;

// Nobody who wrote the file could have guessed it (RFC 2046 section 5.1.1: it must not occur inside).
std::string make_boundary() {
  std::array<std::uint64_t, 2> random{};
  // The kernel may have no random bytes early at boot, or a filter of system calls may refuse. Then the time
  // in nanoseconds has to do, which nobody knows beforehand. An address would do as well, but clients must
  // not see one.
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

// Some clients look for the delimiter together with its line end, so the first boundary has one before it.
// Text before the first boundary is a preamble, which all clients ignore (RFC 2046 section 5.1.1).
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
