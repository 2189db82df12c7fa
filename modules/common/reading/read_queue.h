// The reads of file content that have to wait for a disk: one FIFO a worker, a bounded number under way, each
// into a buffer of the pool. A read is done by the engine (Linux AIO) where there is one and it can, else by a
// thread.
//
// A read that nobody wants any more ends by itself and keeps its file, its buffer and a hold on the module
// until then. Readers that sit on filled buffers because their client is slow lose them to readers that wait,
// the longest holder first; they read again later. Loop thread, except where a Work says otherwise.
//
// Of a file system that is not local only a few reads are under way, so that one that hangs leaves the others
// theirs.
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

// Holds filled buffers that it could give up.
class BufferUser {
 public:
  // Its read has finished: it holds a buffer from now on, and its exchange is resumed.
  virtual void read_finished() = 0;
  // Gives back what it does not use at this moment.
  virtual void give_up_buffers() = 0;

 protected:
  ~BufferUser() = default;
};

struct Read {
  enum class State : std::uint8_t { waiting, running, finished };

  FileRef file;
  std::uint64_t offset = 0;  // multiple of kBufferAlignment
  std::size_t size = 0;      // multiple of kBufferAlignment, up to kBufferSize; the file may end before it
  Ticket ticket;             // resumed when it has finished
  BufferRef buffer;          // from its start to its end
  std::int64_t result = 0;   // bytes read, or a negative error of errno(3)
  State state = State::waiting;
  BufferUser* user = nullptr;  // null: not wanted any more
};
using ReadRef = std::shared_ptr<Read>;

class ReadQueue;

// Another way to read than a thread's pread.
class ReadEngine {
 public:
  virtual ~ReadEngine() = default;
  // Starts the read and reports it later by ReadQueue::finish. False: not this way.
  virtual bool start(const ReadRef& read) = 0;
};

class ReadQueue final : private Timer {
 public:
  static constexpr unsigned kRunningMax = 16;
  static constexpr unsigned kRemoteMax = 2;  // of these, of one file system
  static constexpr std::size_t kBuffersMax = 2 * kRunningMax;
  static constexpr std::uint64_t kHoldMsMin = 50;  // a buffer filled more lately is not taken away
  static constexpr std::uint64_t kRetryMs = 5;

  // `host` is the Shared's. `engine` may be null and is told to the queue before the first read.
  explicit ReadQueue(Host& host);
  ~ReadQueue();
  ReadQueue(const ReadQueue&) = delete;
  ReadQueue& operator=(const ReadQueue&) = delete;
  void use(ReadEngine* engine) { engine_ = engine; }

  void ask(const ReadRef& read);
  // Not wanted any more. A finished read's buffer goes back.
  void drop(const ReadRef& read);
  // By the engine or a thread's work: the read has come to an end.
  void finish(const ReadRef& read, std::int64_t result);
  // Reads by a blocking pread on a thread. Any read that an engine had taken may be handed on to it.
  void read_on_thread(const ReadRef& read);

  // A buffer without waiting; null when there is none.
  BufferRef take_buffer();
  void give_back(BufferRef buffer);

  // The order in which holders lose their buffers. A user stands in it from when a buffer of its is filled, and
  // leaves before it ends.
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
  std::deque<ReadRef> refused_;  // running, but no thread would take them yet
  unsigned running_ = 0;
  std::unordered_map<std::uint64_t, unsigned> remote_;  // of these, by device
  std::list<Holder> holders_;                           // the longest first
  TimerId retry_{};
  std::uint32_t thread_reads_;
};

}  // namespace sluice::files
