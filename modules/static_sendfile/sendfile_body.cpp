#include "static_sendfile/sendfile_body.h"

#include <algorithm>
#include <utility>

namespace sluice {

using files::Residency;

SendfileBody::~SendfileBody() {
  if (stream_ != nullptr) parts_.readaheads.drop(stream_);
}

Progress SendfileBody::pump(Sink& sink) {
  Progress progress = Progress::done;
  while (progress == Progress::done && offset_ < end_) {
    if (copy_) {
      progress = copy(sink);
      continue;
    }
    if (sink.room() == 0) return Progress::more;
    switch (residency()) {
      case Residency::resident:
        progress = send_window(sink, resident_end_ - offset_);
        break;
      case Residency::absent:
        progress = wait_for_window();
        break;
      case Residency::unknown:
        copy_up_to(std::min(offset_ + kWindow, end_));
        break;
    }
  }
  return progress;
}

// Whether the next bytes are in memory, up to resident_end_, which it sets.
Residency SendfileBody::residency() {
  const std::uint64_t now_ms = parts_.reads.host().now_ms();
  resident_end_ = std::min(file_->in_memory.known_until(offset_, now_ms), end_);
  if (resident_end_ > offset_ || (warm_ && find_parts(now_ms))) return Residency::resident;
  warm_ = false;
  resident_end_ = std::min(offset_ + kWindow, end_);
  // The body was woken for the bytes that have come, which may be fewer.
  if (stream_ != nullptr && stream_->settled > offset_)
    resident_end_ = std::min(resident_end_, stream_->settled);
  return files::residency(*file_, offset_, resident_end_ - offset_);
}

// Whether all parts of the file around the next bytes are in memory.
bool SendfileBody::find_parts(std::uint64_t now_ms) {
  constexpr std::uint64_t kPart = files::ResidencyMemo::kPart;
  const std::uint64_t begin = offset_ / kPart * kPart;
  resident_end_ = std::min(begin + kWarmWindow, end_);
  const std::uint64_t end = std::min((resident_end_ + kPart - 1) / kPart * kPart, file_->facts().size);
  if (files::residency(*file_, begin, end - begin, files::kProbeWidely) != Residency::resident) return false;
  file_->in_memory.note(begin, end, now_ms);
  return true;
}

// Returns done when the body is to go on.
Progress SendfileBody::send_window(Sink& sink, std::uint64_t size) {
  const Moved moved = sink.send_file(file_->fd(), offset_, size);
  offset_ += moved.size;
  if (moved.size > 0) {
    tries_ = 0;
    if (stream_ != nullptr) parts_.readaheads.move(stream_, offset_);
  }
  switch (moved.status) {
    case Io::ok:
      return Progress::done;
    case Io::full:
      return Progress::more;
    case Io::unsupported:
      copy_up_to(end_);
      return Progress::done;
    case Io::short_file:
    case Io::lost:
      break;
  }
  return Progress::failed;
}

// Returns parked, or done when the window is to be copied instead.
Progress SendfileBody::wait_for_window() {
  if (stream_ == nullptr) {
    stream_ = std::make_shared<ReadaheadStream>();
    stream_->file = file_;
    stream_->ticket = ticket_;
    stream_->end = end_;
    stream_->reading = {offset_, offset_};
  }
  if (stream_->waits) return Progress::parked;
  const bool hopeless = std::exchange(stream_->hopeless, false);
  if (hopeless || tries_ == kTriesMax) {  // the pages do not come, or go again before they are sent
    copy_up_to(std::min(offset_ + kWindow, end_));
    return Progress::done;
  }
  ++tries_;
  parts_.readaheads.wait(stream_, offset_);
  return Progress::parked;
}

void SendfileBody::copy_up_to(std::uint64_t end) {
  copy_end_ = end;
  copy_.emplace(parts_.reads, file_, offset_, end - offset_, ticket_);
  parts_.reads.host().count(parts_.copied, 1);
}

Progress SendfileBody::copy(Sink& sink) {
  const Progress progress = copy_->pump(sink);
  if (progress != Progress::done) return progress;
  offset_ = copy_end_;
  tries_ = 0;
  copy_.reset();
  return Progress::done;
}

}  // namespace sluice
