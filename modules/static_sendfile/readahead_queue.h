// Brings cold ranges of files into the page cache without waiting for them: has the kernel begin to read them,
// looks every millisecond whether the pages have come, and wakes the body that wants them. One a worker, in the
// module's Shared. Loop thread.
//
// What is asked for is bounded over all streams, since beyond a few MiB even calls that promise not to wait do;
// who comes later waits in a FIFO. Sending what has come makes the kernel read on in front of a stream, which
// then need not ask. The first reading of a file is begun by a thread: where the file lies is not yet known. So
// is each reading of one with holes: to begin with a hole is to fill it with zeros.
//
// INVARIANT: `in_flight_` is the sum of the sizes of `reading_`; a timer runs while anything waits or is read.
#pragma once

#include <sluice/handler.h>

#include <deque>
#include <list>
#include <memory>

#include "common/open_file.h"

namespace sluice {

// One range that a body waits for.
struct Readahead {
  enum class State : std::uint8_t {
    waiting,   // for others
    reading,   // under way
    resident,  // what the body waits for has come
    hopeless,  // it has not come in time
  };

  files::FileRef file;
  std::uint64_t offset = 0;
  std::uint64_t window = 0;  // what the body waits for; `size` from the same offset is read
  std::uint64_t size = 0;
  Ticket ticket;
  State state = State::waiting;
  bool wanted = true;
  bool started = false;  // the kernel has been asked
  std::uint64_t give_up_ms = 0;
};
using ReadaheadRef = std::shared_ptr<Readahead>;

class ReadaheadQueue final : private Timer {
 public:
  static constexpr std::uint64_t kInFlightMax = 8 << 20;
  static constexpr std::uint64_t kLookEveryMs = 1;
  static constexpr std::uint64_t kPatienceMs = 100;  // then a thread reads, and waits as long as it takes

  // `host` is the Shared's.
  explicit ReadaheadQueue(Host& host);
  ~ReadaheadQueue();
  ReadaheadQueue(const ReadaheadQueue&) = delete;
  ReadaheadQueue& operator=(const ReadaheadQueue&) = delete;

  void ask(const ReadaheadRef& wish);
  // Nobody waits for it any more. What is under way stays counted until it has come.
  void drop(const ReadaheadRef& wish);

 private:
  class ThreadReadahead;

  void fired() override;
  void look(Readahead& wish);
  void settle(Readahead& wish, Readahead::State state);
  void start_waiting();
  bool start(const ReadaheadRef& wish);
  void keep_looking();

  Host& host_;
  std::deque<ReadaheadRef> waiting_;
  std::list<ReadaheadRef> reading_;
  std::uint64_t in_flight_ = 0;
  TimerId timer_{};
  std::uint32_t readaheads_;
};

}  // namespace sluice
