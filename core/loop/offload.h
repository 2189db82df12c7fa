// A few threads for calls that may block. The loop queues a Work, a thread runs it, and an eventfd tells the
// loop that it is done.
//
// Loop thread, except Work::run. The queue is bounded. An owner (a handler) gets at most half of the threads
// and half of the queue, so one whose calls block cannot starve the others. The reserve has its own room beside
// the queue. A Work that has waited too long is given back without having run.
//
// A call that does not end for long, as on a file system that hangs, is stuck. A spare thread then replaces the
// thread that it holds, and the call no longer counts in its owner's share. Once half of the spares are used,
// owners with stuck calls get no more threads, so that spares are left for the others.
//
// The threads have a higher nice value than the loop. Without it the loop would wait for the processor while
// they compute.
//
// Only the loop touches the queue. It hands Works to a thread through slots and takes them back from a list.
// Both are lock-free, so the loop never waits for a thread.
//
// Waking a thread, and being woken by it, costs several times what a quick call takes. A thread whose calls are
// quick therefore gets several Works of one owner at once, as long as no other owner's wait. Those that have
// not begun are taken back when another owner comes, when the call before them is stuck, or when another thread
// has nothing left to do.
//
// For the same reason such a thread tells the loop once of several calls that have ended: after the last call
// that it was given, or once the calls have taken kUntoldNs. A call that blocks behind quick ones cannot hold
// their ends back for long, because the loop looks by itself every kLookMs while calls are given ahead.
//
// INVARIANT: every accepted Work gets exactly one done(), then is destroyed, both on the loop.
#pragma once

#include <sluice/handler.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <latch>
#include <memory>
#include <semaphore>
#include <thread>
#include <unordered_map>
#include <vector>

#include "loop/event_loop.h"

namespace sluice {

class Offload final : private Pollable, private Timer {
 public:
  struct Limits {
    unsigned threads = 4;  // without those that are stuck
    unsigned spares = 12;  // at most as many as there are notes for their calls (WorkerStats)
    std::uint64_t stuck_ms = 1'000;
    std::size_t queue_max = 4096;
    std::uint64_t queued_ms_max = 10'000;
  };

  // Waits until the threads run. Otherwise the loop would later wait for the lock on the process' memory
  // while a thread starts and maps its stack.
  static Result<std::unique_ptr<Offload>> create(EventLoop& loop, const Limits& limits);
  // Waits for running calls. Queued works are given back unrun.
  ~Offload();

  // The room that a work takes: of the owner's share of the queue, or of the reserve. The reserve is as long
  // as the queue, for works that end something: if they were refused, the loop would have to do them itself.
  enum class Room : std::uint8_t { share, reserve };
  // Takes the work and returns true. False, with the work untouched, when that room is used up.
  bool submit(const void* owner, std::unique_ptr<Work>& work, Room room = Room::share);
  // The largest number of works that are given back unrun in one turn. The others wait for the next turn.
  static constexpr unsigned kExpiredMax = 64;
  // Whether no work is queued, running or waiting to be given back.
  bool idle() const { return outstanding_ == 0; }
  // From 1 up on these threads, 0 on every other.
  static unsigned thread_index();

 private:
  struct Thread;
  struct Item {
    const void* owner;
    std::unique_ptr<Work> work;
    std::uint64_t due_ms;
    Room room;
    bool ran = false;
    bool wait_counted = false;
    Thread* thread = nullptr;  // the thread that has it
    Item* next = nullptr;      // in the list of the finished
  };
  using ItemPtr = std::unique_ptr<Item>;
  // So many quick calls take only a small part of the time that waking a thread may take.
  static constexpr std::size_t kAheadMax = 8;
  static constexpr std::uint64_t kQuickMs = 1;
  static constexpr std::uint64_t kUntoldNs = 100'000;
  static constexpr std::uint64_t kLookMs = 2;
  struct Thread {
    std::thread thread;
    std::array<std::atomic<Item*>, kAheadMax> slots{};  // works that it has not begun
    std::atomic<bool> asleep{false};                    // it looks at its slots only after it is woken
    std::counting_semaphore<2> wake{0};
    // The thread alone:
    std::size_t next = 0;       // the slot to look at next
    bool untold = false;        // a call has ended, and the loop was not told
    std::uint64_t told_ns = 0;  // when the thread last told the loop, or woke up
    Item* take();
    // Loop only.
    std::size_t put = 0;  // the slot that the next work goes into
    unsigned given = 0;   // works that have not come back: the running one, and those in its slots
    bool stuck = false;
    bool quick = false;  // its last call was
    const void* owner = nullptr;
    std::uint64_t since_ms = 0;  // when it got the first of them, or gave the last one back
  };
  struct Share {
    unsigned running = 0;  // without those that are stuck
    unsigned stuck = 0;
    std::size_t queued = 0;
    bool is_unused() const { return running == 0 && stuck == 0 && queued == 0; }
  };

  Offload(EventLoop& loop, const Limits& limits)
      : loop_(loop), limits_(limits), to_start_(limits_.threads + limits_.spares), look_(*this) {}
  bool has_room(const void* owner, Room room) const;
  // How many threads one owner may have, without those that are stuck.
  unsigned running_max() const { return std::max(1U, limits_.threads / 2); }
  // Looks for ends that no thread has told.
  struct Look final : Timer {
    explicit Look(Offload& owner) : offload(owner) {}
    void fired() override { offload.look(); }
    Offload& offload;
    TimerId id{};
  };
  void run_thread(Thread& self, unsigned index);
  Item* next_of(Thread& self);
  void finish(Thread& self, Item* item);
  void tell(Thread& self);
  void start_waiting();
  void give_ahead();
  void take_back_ahead();
  void find_stuck();
  std::deque<ItemPtr>::iterator next_item();
  void count_queued(const Item& item);
  ItemPtr take_out(const std::deque<ItemPtr>::iterator& place);
  bool give(Thread& thread, const std::deque<ItemPtr>::iterator& place);
  void came_back(Thread& thread);
  void on_events(std::uint32_t) override { take_in(); }
  void fired() override;
  void take_in();
  void look();
  void look_later();
  ItemPtr take_finished();
  void give_back_all(ItemPtr finished);
  bool give_back_expired();
  void give_back_first();
  void give_back(ItemPtr item);

  EventLoop& loop_;
  const Limits limits_;
  std::latch to_start_;
  UniqueFd event_fd_;
  EventLoop::Token token_ = EventLoop::kNoToken;
  TimerId expiry_{};
  Look look_;
  std::size_t outstanding_ = 0;
  unsigned running_ = 0;  // without those that are stuck
  unsigned stuck_ = 0;
  std::deque<ItemPtr> queue_;
  std::size_t reserved_ = 0;                       // in the queue on the reserve's room
  std::size_t owners_waiting_ = 0;                 // with works in the queue
  bool any_ahead_ = false;                         // some slots may hold works that can be taken back
  std::unordered_map<const void*, Share> shares_;  // of owners that have works
  std::atomic<bool> stopping_{false};
  std::atomic<Item*> finished_{nullptr};  // a list; the last finished one first
  std::atomic<bool> told_{false};         // the event is written, and the loop has not looked since
  std::deque<Thread> threads_;
};

}  // namespace sluice
