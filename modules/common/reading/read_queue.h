// The reads of file content that have to wait for a disk. One FIFO a worker; a bounded number is under way,
// each into a buffer of the pool. The engine (Linux AIO) does a read if there is one and it can, else a
// thread does.
//
// A read that is dropped ends by itself. Until then it keeps its file, its buffer and a hold on the module. A
// reader with a slow client loses its filled buffers to readers that wait, the longest holder first; it reads
// again later. Loop thread, except where a Work says otherwise.
//
// Only a few reads are under way for each file system that is not local, so that one that hangs leaves room
// for the others.
//
// INVARIANT: a read is in `waiting_`, or counted in `running_`, or finished; a buffer belongs to the pool, to
// one read or to one reader.
#pragma once

#include <sluice/handler.h>

#include <deque>
#include <list>
#include <memory>
#include <unordered_map>

#include "common/files/open_file.h"
#include "common/reading/aligned_buffers.h"

namespace sluice::files {

// Holds filled buffers that it can give up.
class BufferUser {
 public:
  // Its read has finished, so it holds a buffer now. The queue resumes its exchange.
  virtual void read_finished() = 0;
  // Gives back the buffers that it does not use at this moment.
  virtual void give_up_buffers() = 0;

 protected:
  ~BufferUser() = default;
};

struct Read {
  enum class State : std::uint8_t { waiting, running, finished };

  FileRef file;
  std::uint64_t offset = 0;  // multiple of kBufferAlignment
  std::size_t size = 0;      // multiple of kBufferAlignment, up to kBufferSize; the file may end before it
  Ticket ticket;             // of the exchange to resume when it has finished
  BufferRef buffer;          // from its start to its end
  std::int64_t result = 0;   // bytes read, or a negative error of errno(3)
  State state = State::waiting;
  BufferUser* user = nullptr;  // null: the read was dropped
};
using ReadRef = std::shared_ptr<Read>;

class ReadQueue;

// Another way to read than by a thread's pread.
class ReadEngine {
 public:
  virtual ~ReadEngine() = default;
  // Starts the read and reports its end by ReadQueue::finish. False: it cannot do this read.
  virtual bool start(const ReadRef& read) = 0;
};

class ReadQueue final : private Timer {
 public:
  static constexpr unsigned kRunningMax = 16;
  static constexpr unsigned kRemoteMax = 2;  // of kRunningMax, for one file system that is not local
  static constexpr std::size_t kBuffersMax = 2 * kRunningMax;
  static constexpr std::uint64_t kHoldMsMin =
      50;  // a buffer that was filled later than that stays with its reader
  static constexpr std::uint64_t kRetryMs = 5;

  // `host` is the Shared's. `engine` may be null; the queue gets it before the first read.
  explicit ReadQueue(Host& host);
  ~ReadQueue();
  ReadQueue(const ReadQueue&) = delete;
  ReadQueue& operator=(const ReadQueue&) = delete;
  void use(ReadEngine* engine) { engine_ = engine; }

  void ask(const ReadRef& read);
  // Drops a read. The buffer of a finished one goes back.
  void drop(const ReadRef& read);
  // The engine, or a thread's work, reports that the read has ended.
  void finish(const ReadRef& read, std::int64_t result);
  // Reads by a blocking pread on a thread. The engine, too, may hand over a read that it had taken.
  void read_on_thread(const ReadRef& read);

  // A buffer without waiting; null if there is none.
  BufferRef take_buffer();
  void give_back(BufferRef buffer);

  // The order in which holders lose their buffers. A user enters it when one of its buffers is filled, and
  // leaves it before it ends.
  struct Holder {
    BufferUser* user;
    std::uint64_t since_ms;
  };
  using Place = std::list<Holder>::iterator;
  Place enter(BufferUser& user) { return holders_.insert(holders_.end(), {&user, host_.now_ms()}); }
  void leave(Place place) { holders_.erase(place); }

  void retire() { pool_.retire(); }
  Host& host() { return host_; }

 private:
  class ThreadRead;

  void fired() override;
  void start_waiting();
  std::deque<ReadRef>::iterator next_to_start();
  void start(const ReadRef& read);
  void reclaim();

  Host& host_;
  ReadEngine* engine_ = nullptr;
  BufferPool pool_{kBuffersMax};
  std::deque<ReadRef> waiting_;
  std::deque<ReadRef> refused_;  // counted as running, but no thread was free to take them
  unsigned running_ = 0;
  std::unordered_map<std::uint64_t, unsigned> remote_;  // of `running_`, by device
  std::list<Holder> holders_;                           // the longest first
  TimerId retry_{};
  std::uint32_t thread_reads_;
};

}  // namespace sluice::files
