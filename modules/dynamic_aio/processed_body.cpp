#include "dynamic_aio/processed_body.h"

#include <algorithm>
#include <utility>

namespace sluice {

ProcessedBody::ProcessedBody(files::ReadQueue& queue, files::FileRef file, Ticket ticket,
                             std::unique_ptr<Processor> processor)
    : reader_(queue, file, 0, file->facts().size, ticket), processor_(std::move(processor)) {}

Progress ProcessedBody::pump(Sink& sink) {
  Progress progress = Progress::done;
  while (write(sink, progress) && process(progress)) {
  }
  if (progress == Progress::more || progress == Progress::parked) reader_.rest();
  return progress;
}

// Writes the output. False ends the pump, with `progress` set.
bool ProcessedBody::write(Sink& sink, Progress& progress) {
  while (written_ < output_.size()) {
    const std::uint64_t size = std::min<std::uint64_t>(output_.size() - written_, sink.room());
    const Bytes piece{output_.data() + written_, static_cast<std::size_t>(size)};
    const Moved moved = size == 0 ? Moved{0, Io::full} : sink.write(&piece, 1);
    written_ += static_cast<std::size_t>(moved.size);
    if (moved.status != Io::ok) {
      progress = moved.status == Io::full ? Progress::more : Progress::failed;
      return false;
    }
  }
  return true;
}

// Makes the next output. False ends the pump, with `progress` set.
bool ProcessedBody::process(Progress& progress) {
  if (finished_) {
    progress = Progress::done;
    return false;
  }
  output_.clear();
  written_ = 0;
  Bytes piece;
  switch (reader_.peek(piece)) {
    case files::FileReader::State::ready:
      reader_.consume(processor_->feed(piece, output_));
      return true;
    case files::FileReader::State::end:
      processor_->finish(output_);
      finished_ = true;
      return true;
    case files::FileReader::State::wait:
      progress = Progress::parked;
      return false;
    case files::FileReader::State::failed:
      break;
  }
  progress = Progress::failed;
  return false;
}

}  // namespace sluice
