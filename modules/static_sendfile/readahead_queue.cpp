#include "static_sendfile/readahead_queue.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace sluice {

using files::Residency;

// Makes the kernel begin to read a piece.
class ReadaheadQueue::ThreadPiece final : public Work {
 public:
  ThreadPiece(ReadaheadQueue& queue, ReadaheadRef stream)
      : queue_(queue),
        stream_(std::move(stream)),
        fd_(stream_->file->fd()),
        size_(stream_->piece),
        end_(stream_->end),
        from_(stream_->reading.begun),
        reading_(stream_->reading) {}
  void run() override { files::read_on(fd_, reading_, size_, end_); }
  void done(bool ran) override {
    if (ran) stream_->file->extents_mapped = true;
    stream_->queued = false;
    queue_.in_flight_ -= size_;
    // False if the body has gone on meanwhile, or back to pages that are gone again.
    const bool current = stream_->reading.begun == from_;
    if (!current || queue_.add(stream_, reading_)) queue_.line_up(stream_);
    queue_.look_at_all();  // the pages may have been in memory all along
    queue_.watch();
  }
  std::uint64_t size() const { return size_; }

 private:
  ReadaheadQueue& queue_;
  const ReadaheadRef stream_;
  const int fd_;
  const std::uint64_t size_;
  const std::uint64_t end_;
  const std::uint64_t from_;
  files::ReadingOn reading_;
};

// Waits until the pages that a body waits for have come.
class ReadaheadQueue::Watch final : public Work {
 public:
  Watch(ReadaheadQueue& queue, const Piece& piece)
      : queue_(queue),
        file_(piece.stream->file),
        fd_(file_->fd()),
        step_(files::probe_step(*file_, files::kProbeClosely)),
        position_(piece.stream->position),
        end_(piece.window_end()) {}
  void run() override {
    for (std::uint64_t at = position_; at < end_; at += step_) use(at);
    use(end_ - 1);
  }
  void done(bool) override {
    queue_.watching_ = false;
    queue_.look_at_all();
  }

 private:
  void use(std::uint64_t at) const {
    char byte;
    static_cast<void>(pread(fd_, &byte, 1, static_cast<off_t>(at)));
  }

  ReadaheadQueue& queue_;
  const files::FileRef file_;
  const int fd_;
  const std::uint64_t step_;
  const std::uint64_t position_;
  const std::uint64_t end_;
};

ReadaheadQueue::ReadaheadQueue(Host& host)
    : host_(host),
      readaheads_(host.counter("readaheads")),
      thread_readaheads_(host.counter("thread_readaheads")) {}

ReadaheadQueue::~ReadaheadQueue() {
  if (timer_.value != 0) host_.cancel(timer_);
}

void ReadaheadQueue::move(const ReadaheadRef& stream, std::uint64_t position) {
  stream->position = position;
  stream->hopeless = false;
  // The kernel has read further by itself.
  if (stream->reading.begun < position) stream->reading = {position, position};
  line_up(stream);
  start_waiting();
  keep_looking();
}

void ReadaheadQueue::wait(const ReadaheadRef& stream, std::uint64_t position) {
  if (position < stream->settled) {  // the page has come, and is gone again
    stream->settled = position;
    stream->reading = {position, position};
  }
  stream->waits = true;
  move(stream, position);
  stream->piece = std::min(stream->piece * 2, ReadaheadStream::kPieceMax);
  watch();
}

void ReadaheadQueue::drop(const ReadaheadRef& stream) {
  stream->waits = false;
  stream->end = 0;  // nothing more of it is to be read
  if (!stream->queued) return;
  const auto place = std::find(waiting_.begin(), waiting_.end(), stream);
  if (place != waiting_.end()) waiting_.erase(place);
}

void ReadaheadQueue::fired() {
  timer_ = TimerId{};
  look_at_all();
  watch();
}

void ReadaheadQueue::look_at_all() {
  for (auto piece = reading_.begin(); piece != reading_.end();) {
    if (!look(*piece)) {
      ++piece;
      continue;
    }
    in_flight_ -= piece->end - piece->offset;
    piece->stream->settled = std::max(piece->stream->settled, piece->end);
    piece = reading_.erase(piece);
  }
  start_waiting();
  keep_looking();
}

// Whether the piece has come or is given up. Wakes the body that waits for a part of it when that has come.
bool ReadaheadQueue::look(const Piece& piece) {
  ReadaheadStream& stream = *piece.stream;
  const bool given_up = piece.empty() || piece.give_up_ms <= host_.now_ms();
  const bool over = given_up || files::residency(*stream.file, piece.end - 1, 1) != Residency::absent;
  if (!piece.waited_for()) return over;
  const Residency found =
      piece.empty() ? Residency::unknown
                    : files::residency(*stream.file, stream.position, piece.window_end() - stream.position);
  if (found == Residency::absent && !given_up) return false;  // reads end out of order
  stream.waits = false;
  stream.hopeless = found != Residency::resident;
  host_.resume(stream.ticket);
  return over;
}

void ReadaheadQueue::line_up(const ReadaheadRef& stream) {
  const std::uint64_t begun = stream->reading.begun;
  if (stream->queued || begun >= stream->end || begun - stream->position >= stream->piece) return;
  stream->queued = true;
  waiting_.push_back(stream);
}

void ReadaheadQueue::start_waiting() {
  while (!waiting_.empty()) {
    const ReadaheadRef stream = waiting_.front();
    if (in_flight_ > 0 && in_flight_ + stream->piece > kInFlightMax) return;
    if (reading_.size() == kPiecesMax) return;
    if (!stream->file->extents_mapped || stream->file->facts().has_holes) {
      auto work = std::make_unique<ThreadPiece>(*this, stream);
      if (!host_.offload(work.get())) return;  // no thread is free: the timer tries again
      host_.count(readaheads_, 1);
      in_flight_ += work.release()->size();
      waiting_.pop_front();
      host_.count(thread_readaheads_, 1);
      continue;
    }
    waiting_.pop_front();
    stream->queued = false;
    host_.count(readaheads_, 1);
    files::ReadingOn reading = stream->reading;
    files::read_on(stream->file->fd(), reading, stream->piece, stream->end);
    if (add(stream, reading)) line_up(stream);
  }
}

// Returns whether the kernel has begun with anything.
bool ReadaheadQueue::add(const ReadaheadRef& stream, const files::ReadingOn& reading) {
  const std::uint64_t from = std::exchange(stream->reading, reading).begun;
  in_flight_ += reading.begun - from;
  reading_.push_back({stream, from, reading.begun, host_.now_ms() + kPatienceMs});
  return reading.begun > from;
}

void ReadaheadQueue::keep_looking() {
  if (timer_.value == 0 && !(waiting_.empty() && reading_.empty())) timer_ = host_.timer(kLookEveryMs, *this);
}

void ReadaheadQueue::watch() {
  if (watching_) return;
  const auto piece = std::find_if(reading_.begin(), reading_.end(),
                                  [](const Piece& each) { return each.waited_for() && !each.empty(); });
  if (piece == reading_.end()) return;
  auto work = std::make_unique<Watch>(*this, *piece);
  if (!host_.offload(work.get())) return;
  static_cast<void>(work.release());
  watching_ = true;
}

}  // namespace sluice
