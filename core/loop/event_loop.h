// The loop of one process, a worker or the supervisor: waits in epoll(7), then runs a turn of named phases:
// events, ready, timers, reap.
//
// Each registered fd has a token with a generation, so an event that was queued for a closed fd never reaches
// the fd that took its number. Loop thread only, except `wake`.
//
// INVARIANT: objects handed to `reap` are destroyed at the end of the turn, so none is freed while a caller
// uses it.
#pragma once

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/monotonic_clock.h"
#include "base/unique_fd.h"
#include "loop/call_length.h"
#include "loop/deadlines.h"
#include "loop/own_descriptors.h"
#include "loop/timers.h"
#include "telemetry/turn_audit.h"
#include "telemetry/worker_stats.h"

namespace sluice {

// Called when an fd is ready, as epoll_ctl(2) was asked for it.
class Pollable {
 public:
  virtual void on_events(std::uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

// Called once in the next ready phase after `EventLoop::make_ready`. Unlinks itself when destroyed.
class Ready {
 public:
  Ready() = default;
  Ready(const Ready&) = delete;
  Ready& operator=(const Ready&) = delete;
  virtual void on_ready() = 0;

 protected:
  virtual ~Ready();

 private:
  friend class EventLoop;
  Ready* next_ = nullptr;
  Ready* prev_ = nullptr;
};

// Something to be destroyed at the end of the turn.
class Reapable {
 public:
  virtual ~Reapable() = default;

 private:
  friend class EventLoop;
  std::unique_ptr<Reapable> next_reaped_;
};

class EventLoop {
 public:
  using Token = std::uint64_t;
  static constexpr Token kNoToken = 0;

  static Result<std::unique_ptr<EventLoop>> create(WorkerStats& stats);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Registers the fd; kNoToken with errno set when the kernel refuses.
  Token add(int fd, std::uint32_t events, Pollable& pollable);
  // Waits for other events of the fd from now on.
  void change(Token token, int fd, std::uint32_t events);
  // Forgets the registration, also of an fd that is about to be closed, which saves the system call.
  void remove(Token token, int fd);
  void forget(Token token);
  // Whether the fd is still registered under this token: closing an fd ends the registration.
  bool watches(Token token, int fd);

  // For a forked process that goes on without this loop. An epoll instance is shared with it: unless this is
  // called first, removing a registration there would remove the parent's.
  void close_for_child() { epoll_.reset(); }

  // The descriptors that the process needs. When one of them was closed or replaced, the process ends with a
  // sentence.
  OwnDescriptors& own() { return own_; }
  // Checks them now. The loop also does so from time to time, and when waiting fails.
  void look_at_own();

  // Calls ready.on_ready() in the coming ready phase: that of this turn when called in its events phase, or
  // when a call of a shorter kind makes it ready; else that of the next turn, which then does not wait. It is
  // called once, however often it is made ready, and in order, those of each length together. When there are
  // many, some wait for one more turn.
  void make_ready(Ready& ready, CallLength length = CallLength::brief);
  // Whether the next turn has a ready phase, and so does not wait.
  bool has_ready() const {
    return std::any_of(std::begin(ready_), std::end(ready_),
                       [](const ReadyRing& ring) { return !ring.is_empty(); });
  }
  // Destroys the object at the end of this turn.
  void reap(std::unique_ptr<Reapable> object);

  Deadlines& deadlines() { return deadlines_; }
  Timers& timers() { return timers_; }
  // CLOCK_MONOTONIC, read once a turn.
  std::uint64_t now_ms() const { return now_ns_ / 1'000'000; }
  std::uint64_t now_ns() const { return now_ns_; }
  // Whether this phase of the turn has lasted long enough. The rest is then left to a later turn, so that no
  // client waits long for others.
  bool slice_is_over() {
    looked_ns_ = monotonic_ns();
    return looked_ns_ >= slice_end_ns_;
  }
  // When slice_is_over() was asked last, or the turn or its ready phase began.
  std::uint64_t looked_ns() const { return looked_ns_; }
  WorkerStats& stats() { return stats_; }

  // From now on turns are audited as well.
  Result<void> audit();

  // One turn; waits at most this long (-1: until something happens).
  void turn(int wait_ms_max = -1);
  // Turns until stop().
  void run();
  void stop() { stopped_ = true; }

 private:
  explicit EventLoop(WorkerStats& stats);
  struct Slot {
    Pollable* pollable = nullptr;
    std::uint32_t generation = 1;
    std::uint32_t next_free = 0;
  };
  // A ring's head; never called.
  struct ReadyRing final : Ready {
    ReadyRing() { next_ = prev_ = this; }
    ~ReadyRing() override;
    void on_ready() override {}
    bool is_empty() const { return next_ == this; }
    void add(Ready& last);
    Ready& take_first();
    void take_all(ReadyRing& from);  // in front of its own
  };

  Slot* find(Token token);
  bool has_registered(Token token, int fd) const;  // and the fd was not registered again since
  // The modules that the loop has called.
  struct CallTrail {
    std::uint64_t last = 0;  // as in CallNote
    bool mixed = false;      // other modules as well
    void add(const CallTrail& later);
  };
  CallTrail trail_of_turn() const;
  void end_trail();
  [[noreturn]] void give_up(const std::string& why, const CallTrail& trail);
  int wait_ms(int wait_ms_max) const;
  void dispatch_events(int count);
  void run_ready(ReadyRing& waiting);
  bool more_waits(int count);
  void expire();
  void reap_all();
  void read_clock() { now_ns_ = monotonic_ns(); }

  static constexpr int kBatch = 64;
  static constexpr std::uint64_t kSliceNs = 250'000;
  static constexpr std::uint64_t kLookNs = 1'000'000'000;
  WorkerStats& stats_;
  UniqueFd epoll_;
  epoll_event events_[kBatch];
  std::vector<Slot> slots_;   // index 0 is never used
  std::vector<Token> by_fd_;  // the last token of each fd
  OwnDescriptors own_;
  const pid_t process_ = ::getpid();
  std::uint32_t free_slot_ = 0;
  ReadyRing ready_[kCallLengths];
  std::unique_ptr<Reapable> reaped_;
  std::unique_ptr<TurnAudit> audit_;
  Deadlines deadlines_;
  Timers timers_;
  std::uint64_t now_ns_ = 0;
  std::uint64_t slice_end_ns_ = 0;
  std::uint64_t looked_ns_ = 0;
  std::uint64_t checked_ns_ = 0;  // when the descriptors were last checked
  CallTrail last_turn_;           // of the last turn that has ended
  CallTrail trail_;               // of the turns since that check
  std::size_t full_batches_ = 0;  // in a row
  bool stopped_ = false;
};

}  // namespace sluice
