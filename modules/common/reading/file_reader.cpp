#include "common/reading/file_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/files/residency.h"

namespace sluice::files {
namespace {

// Copied from the page cache at once. This much is still in the processor's cache when it is written.
constexpr std::uint64_t kCopySize = 128 * 1024;

constexpr std::uint64_t align_down(std::uint64_t offset) {
  return offset / kBufferAlignment * kBufferAlignment;
}
constexpr std::uint64_t align_up(std::uint64_t offset) {
  return align_down(offset + kBufferAlignment - 1);
}

}  // namespace

FileReader::FileReader(ReadQueue& queue, FileRef file, std::uint64_t offset, std::uint64_t size, Ticket ticket)
    : queue_(queue), file_(std::move(file)), position_(offset), end_(offset + size), ticket_(ticket) {}

FileReader::~FileReader() {
  leave();
  discard(front_);
  discard(back_);
}

FileReader::State FileReader::peek(Bytes& piece) {
  in_use_ = true;
  if (position_ == end_) return State::end;
  while (front_.size == 0) {
    if (const auto stop = fill_front()) return *stop;
  }
  look_ahead();
  piece = {front_.buffer->data() + front_.first, front_.size};
  return State::ready;
}

// Takes one step towards a front piece. Returns a state if there cannot be one now.
std::optional<FileReader::State> FileReader::fill_front() {
  if (front_.read != nullptr) {
    if (front_.read->state != Read::State::finished) return State::wait;
    if (!collect(front_)) return State::failed;
    return std::nullopt;
  }
  if (back_.read != nullptr || back_.size > 0) {
    discard(front_);
    front_ = std::exchange(back_, Piece{});
    return std::nullopt;
  }
  switch (residency(*file_, position_, 1)) {
    case Residency::resident:
      return copy_cached();
    case Residency::absent:
    case Residency::unknown:
      break;
  }
  cold_ = true;
  discard(front_);
  ask(front_, position_);
  return State::wait;
}

std::optional<FileReader::State> FileReader::copy_cached() {
  const std::uint64_t size = std::min(kCopySize, end_ - position_);
  const bool can_say_no = file_->nowait != Known::no;
  if (front_.buffer == nullptr) front_.buffer = queue_.take_buffer();
  ssize_t got = -1;
  if (front_.buffer != nullptr && (can_say_no || residency(*file_, position_, size) == Residency::resident)) {
    got = can_say_no ? read_nowait(file_->fd(), front_.buffer->data(), size, position_)
                     : pread(file_->fd(), front_.buffer->data(), size, static_cast<off_t>(position_));
  }
  if (got == 0) return State::failed;
  if (got < 0) {
    // There was no buffer, or the pages have gone since the check. The queue waits for a buffer, or finds the
    // error.
    discard(front_);
    ask(front_, position_);
    return State::wait;
  }
  cold_ = false;
  stand_last();
  front_.first = 0;
  front_.size = static_cast<std::size_t>(got);
  return std::nullopt;
}

// REQUIRES: the piece is empty and has no buffer.
void FileReader::ask(Piece& piece, std::uint64_t offset) {
  const std::uint64_t from = align_down(offset);
  const std::uint64_t to = std::min(from + kBufferSize, align_up(end_));
  piece.read = std::make_shared<Read>();
  piece.read->file = file_;
  piece.read->offset = from;
  piece.read->size = static_cast<std::size_t>(to - from);
  piece.read->ticket = ticket_;
  piece.read->user = this;
  piece.first = static_cast<std::size_t>(offset - from);
  piece.wanted = static_cast<std::size_t>(std::min(to, end_) - offset);
  queue_.ask(piece.read);
}

// Takes what a finished read brought. False when the file cannot be read that far.
bool FileReader::collect(Piece& piece) {
  const ReadRef read = std::exchange(piece.read, nullptr);
  piece.buffer = std::move(read->buffer);
  const auto needed = static_cast<std::int64_t>(piece.first + piece.wanted);
  if (piece.buffer == nullptr || read->result < needed) return false;
  piece.size = piece.wanted;
  return true;
}

// Keeps one read ahead of the piece in use, if reading has to wait.
void FileReader::look_ahead() {
  const std::uint64_t next = position_ + front_.size;
  if (!cold_ || back_.read != nullptr || back_.size > 0 || next >= end_) return;
  if (residency(*file_, next, 1) == Residency::resident) {
    cold_ = false;
  } else {
    ask(back_, next);
  }
}

void FileReader::consume(std::size_t size) {
  position_ += size;
  front_.first += size;
  front_.size -= size;
}

// Moves this reader to the end of the holders: its data is the newest, so others lose their buffers first.
void FileReader::stand_last() {
  leave();
  place_ = queue_.enter(*this);
}

void FileReader::leave() {
  if (place_) queue_.leave(*std::exchange(place_, std::nullopt));
}

void FileReader::give_up_buffers() {
  if (in_use_) return;
  leave();
  discard(back_);  // no pump waits for it
  // A front piece that is being read will wake the body, which then has to find it.
  if (front_.read == nullptr || front_.read->state == Read::State::finished) discard(front_);
}

void FileReader::discard(Piece& piece) {
  if (piece.read != nullptr) queue_.drop(piece.read);
  if (piece.buffer != nullptr) queue_.give_back(std::move(piece.buffer));
  piece = Piece{};
}

Progress CopyBody::pump(Sink& sink) {
  for (;;) {
    const std::uint64_t room = sink.room();
    Bytes piece;
    switch (reader_.peek(piece)) {
      case FileReader::State::end:
        return Progress::done;
      case FileReader::State::failed:
        return Progress::failed;
      case FileReader::State::wait:
        reader_.rest();
        return Progress::parked;
      case FileReader::State::ready:
        break;
    }
    piece.size = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size, room));
    if (piece.size == 0) {
      reader_.rest();
      return Progress::more;
    }
    const Moved moved = sink.write(&piece, 1);
    reader_.consume(static_cast<std::size_t>(moved.size));
    if (moved.status == Io::full) {
      reader_.rest();
      return Progress::more;
    }
    if (moved.status != Io::ok) return Progress::failed;
  }
}

}  // namespace sluice::files
