// A range of a file as a sequence of pieces in memory. They are copied from the page cache if they are there,
// else read by the read queue, with one read ahead of the piece in use. Never blocks. One body uses it, and
// may park. Loop thread.
//
// INVARIANT: `front_` begins at `position_` or is empty; `back_`, if it holds or reads something, begins
// where `front_` ends.
#pragma once

#include <optional>

#include "common/reading/read_queue.h"

namespace sluice::files {

class FileReader final : private BufferUser {
 public:
  enum class State {
    ready,   // `piece` is not empty
    wait,    // park: the exchange will be resumed
    end,     // all of the range has been consumed
    failed,  // unreadable, or the file ended before the range did
  };

  // `ticket` belongs to the exchange whose body uses it. `queue` lives longer.
  FileReader(ReadQueue& queue, FileRef file, std::uint64_t offset, std::uint64_t size, Ticket ticket);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  // The bytes at the position. They are valid until all of them are consumed, or until `rest`.
  State peek(Bytes& piece);
  // Moves on. REQUIRES: `size` is no more than `peek` gave.
  void consume(std::size_t size);
  // For between two pumps: the buffers may be taken away, which costs another read.
  void rest() { in_use_ = false; }

 private:
  struct Piece {
    BufferRef buffer;
    ReadRef read;            // under way
    std::size_t first = 0;   // of the bytes not consumed, in the buffer
    std::size_t size = 0;    // of these bytes
    std::size_t wanted = 0;  // what `size` is to be when the read has finished
  };

  void read_finished() override { stand_last(); }
  void give_up_buffers() override;
  void stand_last();
  void leave();
  std::optional<State> fill_front();
  std::optional<State> copy_cached();
  void ask(Piece& piece, std::uint64_t offset);
  bool collect(Piece& piece);
  void look_ahead();
  void discard(Piece& piece);

  ReadQueue& queue_;
  FileRef file_;
  std::uint64_t position_;
  const std::uint64_t end_;
  const Ticket ticket_;
  bool cold_ = false;  // the last piece was not in memory
  Piece front_;
  Piece back_;
  bool in_use_ = false;                    // between peek and rest
  std::optional<ReadQueue::Place> place_;  // in the order of those that hold buffers
};

// A body that copies a range of a file through user space.
class CopyBody final : public Body {
 public:
  CopyBody(ReadQueue& queue, FileRef file, std::uint64_t offset, std::uint64_t size, Ticket ticket)
      : reader_(queue, std::move(file), offset, size, ticket) {}
  Progress pump(Sink& sink) override;

 private:
  FileReader reader_;
};

}  // namespace sluice::files
