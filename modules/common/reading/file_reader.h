// A range of a file as a sequence of pieces in memory: copied from the page cache where it is there, else by
// the read queue, with one read ahead of the piece in use. Never blocks. Used by one body, for which it may
// park. Loop thread.
//
// INVARIANT: `front_` begins at `position_` or has nothing; `back_`, when it holds or reads something, goes on
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
    failed,  // unreadable, or the file ended before the range
  };

  // `ticket` is of the exchange whose body uses it. `queue` lives longer.
  FileReader(ReadQueue& queue, FileRef file, std::uint64_t offset, std::uint64_t size, Ticket ticket);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  // The bytes at the position; they live until `consume` of all of them, or `rest`.
  State peek(Bytes& piece);
  // Moves on. REQUIRES: no more than the piece that `peek` gave.
  void consume(std::size_t size);
  // Between two pumps: the buffers may be taken away, at the price of reading again.
  void rest() { in_use_ = false; }

 private:
  struct Piece {
    BufferRef buffer;
    ReadRef read;            // under way
    std::size_t first = 0;   // in the buffer, of the bytes not consumed
    std::size_t size = 0;    // of the same
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
  bool cold_ = false;  // the last piece had to be waited for
  Piece front_;
  Piece back_;
  bool in_use_ = false;                    // between peek and rest
  std::optional<ReadQueue::Place> place_;  // among the holders of buffers
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
