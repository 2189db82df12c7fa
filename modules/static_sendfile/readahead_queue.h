// Reads files into the page cache ahead of the bodies that send them, without blocking the loop. It asks the
// kernel to read piece by piece, and wakes a body when its piece is there. One a worker, in the module's
// Shared. Loop thread.
//
// All streams together read at most a few MiB at a time, because beyond that even calls that promise not to
// wait do wait. Streams take turns in a FIFO. An offload thread starts the first piece of a file, whose blocks
// the kernel has to look up, and every piece of a file with holes, which the kernel fills with zeros while it
// starts. At most one thread waits for the piece of the stream that has waited longest. When it comes, and
// every millisecond, the other streams are looked at.
//
// INVARIANT: `in_flight_` is the sum of the sizes of `reading_` and of what threads begin; a timer runs while
// anything waits or is read.
#pragma once

#include <sluice/handler.h>

#include <algorithm>
#include <deque>
#include <list>
#include <memory>

#include "common/files/open_file.h"
#include "common/files/residency.h"

namespace sluice {

// A file that one body sends and that is not all in memory. The body makes it; then the queue alone writes
// it.
struct ReadaheadStream {
  static constexpr std::uint64_t kPieceMin = 256 * 1024;
  static constexpr std::uint64_t kPieceMax = 2 << 20;

  files::FileRef file;
  Ticket ticket;
  std::uint64_t end = 0;       // of what is to be sent
  std::uint64_t position = 0;  // of what is sent next
  std::uint64_t settled = 0;   // nothing before this is being read any more
  files::ReadingOn reading;
  std::uint64_t piece = kPieceMin;  // doubled whenever the body has to wait; with a slow client it never grows
  bool queued = false;              // in the FIFO, or a thread starts its piece
  bool waits = false;               // the body is parked until what is at `position` has come
  bool hopeless = false;            // the body was woken although that has not come
};
using ReadaheadRef = std::shared_ptr<ReadaheadStream>;

class ReadaheadQueue final : private Timer {
 public:
  static constexpr std::uint64_t kWindow = 256 * 1024;
  static constexpr std::uint64_t kInFlightMax = 8 << 20;
  static constexpr std::size_t kPiecesMax = 64;
  static constexpr std::uint64_t kLookEveryMs = 1;
  static constexpr std::uint64_t kPatienceMs = 100;  // after that a thread reads, and waits as long as it takes

  // `host` is the Shared's.
  explicit ReadaheadQueue(Host& host);
  ~ReadaheadQueue();
  ReadaheadQueue(const ReadaheadQueue&) = delete;
  ReadaheadQueue& operator=(const ReadaheadQueue&) = delete;

  // The body has come to `position`. Reads on in front of it, up to two pieces.
  void move(const ReadaheadRef& stream, std::uint64_t position);
  // What is at `position` is not in memory. Resumes the ticket when up to kWindow of it has come, or when
  // that is not to be expected any more.
  void wait(const ReadaheadRef& stream, std::uint64_t position);
  // The body has ended. Its reads under way stay counted until they have ended.
  void drop(const ReadaheadRef& stream);

 private:
  struct Piece {
    ReadaheadRef stream;
    std::uint64_t offset;
    std::uint64_t end;  // the offset itself if the kernel would not begin
    std::uint64_t give_up_ms;

    bool empty() const { return offset == end; }
    bool waited_for() const {
      return stream->waits && stream->position >= offset && stream->position < std::max(end, offset + 1);
    }
    // A body that waits for a part of this piece is woken when everything up to here has come.
    std::uint64_t window_end() const { return std::min(stream->position + kWindow, end); }
  };
  class ThreadPiece;
  class Watch;

  void fired() override;
  void look_at_all();
  bool look(const Piece& piece);
  void line_up(const ReadaheadRef& stream);
  void start_waiting();
  bool add(const ReadaheadRef& stream, const files::ReadingOn& reading);
  void keep_looking();
  void watch();

  Host& host_;
  std::deque<ReadaheadRef> waiting_;
  std::list<Piece> reading_;
  std::uint64_t in_flight_ = 0;
  bool watching_ = false;
  TimerId timer_{};
  std::uint32_t readaheads_;
  std::uint32_t thread_readaheads_;
};

}  // namespace sluice
