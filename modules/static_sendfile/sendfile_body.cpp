#include "static_sendfile/sendfile_body.h"

#include <algorithm>

namespace sluice {

using files::Residency;

SendfileBody::~SendfileBody() {
  if (wish_ != nullptr) parts_.readaheads.drop(wish_);
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
        progress = send_window(sink, std::min(resident_end_ - offset_, sink.room()));
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

// Of what comes next; resident_end_ says how much of it.
Residency SendfileBody::residency() {
  const std::uint64_t now_ms = parts_.reads.host().now_ms();
  if (offset_ < resident_end_ && now_ms < stays_until_ms_) return Residency::resident;
  if (now_ms < file_->resident_until_ms) {
    resident_end_ = end_;
    stays_until_ms_ = file_->resident_until_ms;
    return Residency::resident;
  }
  if (warm_) {
    resident_end_ = std::min(offset_ + kWarmWindow, end_);
    stays_until_ms_ = now_ms + kStaysMs;
    if (files::residency(*file_, offset_, resident_end_ - offset_, files::kProbeWidely) ==
        Residency::resident) {
      if (resident_end_ - offset_ == file_->facts().size) file_->resident_until_ms = stays_until_ms_;
      return Residency::resident;
    }
    warm_ = false;
  }
  stays_until_ms_ = 0;
  resident_end_ = std::min(offset_ + kWindow, end_);
  return files::residency(*file_, offset_, resident_end_ - offset_);
}

// done: go on.
Progress SendfileBody::send_window(Sink& sink, std::uint64_t size) {
  const Moved moved = sink.send_file(file_->fd(), offset_, size);
  offset_ += moved.size;
  if (moved.size > 0) tries_ = 0;
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

// parked, or done when the window is to be copied instead.
Progress SendfileBody::wait_for_window() {
  if (wish_ != nullptr &&
      (wish_->state == Readahead::State::waiting || wish_->state == Readahead::State::reading)) {
    return Progress::parked;
  }
  const std::uint64_t window = std::min(kWindow, end_ - offset_);
  const bool hopeless = wish_ != nullptr && wish_->state == Readahead::State::hopeless;
  if (wish_ != nullptr) parts_.readaheads.drop(wish_);
  wish_ = nullptr;
  if (hopeless || tries_ == kTriesMax) {  // the pages do not come, or are gone again before they are sent
    copy_up_to(offset_ + window);
    return Progress::done;
  }
  ++tries_;
  wish_ = std::make_shared<Readahead>();
  wish_->file = file_;
  wish_->offset = offset_;
  wish_->window = window;
  wish_->size = std::min(readahead_size_, end_ - offset_);
  wish_->ticket = ticket_;
  readahead_size_ = std::min(readahead_size_ * 2, kReadaheadMax);
  parts_.readaheads.ask(wish_);
  return Progress::parked;
}

void SendfileBody::copy_up_to(std::uint64_t end) {
  copy_end_ = end;
  copy_.emplace(parts_.reads, file_, -1, offset_, end - offset_, ticket_);
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
