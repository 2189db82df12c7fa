// A few threads for calls that may block. Work is queued from the loop, run on a thread, and its result comes
// back to the loop by an eventfd.
//
// Loop thread, except Work::run. The queue is bounded, and no owner (a handler) holds more than half the
// threads or half the queue, so one that blocks cannot starve the others. Work that waited too long is given
// back unrun.
//
// INVARIANT: every accepted Work gets exactly one done(), then is destroyed, both on the loop.
#pragma once

#include <sluice/handler.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "event_loop.h"

namespace sluice {

class Offload final : private Pollable, private Timer {
 public:
  struct Limits {
    unsigned threads = 4;
    std::size_t queue_max = 4096;
    std::uint64_t queued_ms_max = 10'000;
  };

  static Result<std::unique_ptr<Offload>> create(EventLoop& loop, const Limits& limits);
  // Waits for the calls that are running; what is queued is given back unrun.
  ~Offload();

  // Takes the work and returns true; false, with the work untouched, when the owner's share is used up.
  bool submit(const void* owner, std::unique_ptr<Work>& work);
  // No work is queued, running or waiting to be given back.
  bool idle() const { return outstanding_ == 0; }
  // 0 on every other thread, else from 1 up.
  static unsigned thread_index();

 private:
  struct Item {
    const void* owner;
    std::unique_ptr<Work> work;
    std::uint64_t due_ms;
    bool ran = false;
  };
  struct Share {
    unsigned running = 0;
    std::size_t queued = 0;
  };

  Offload(EventLoop& loop, const Limits& limits) : loop_(loop), limits_(limits) {}
  void run_thread(unsigned index);
  std::deque<Item>::iterator next_item();
  void on_events(std::uint32_t events) override;
  void fired() override;
  void give_back();
  void signal();

  EventLoop& loop_;
  const Limits limits_;
  UniqueFd event_fd_;
  EventLoop::Token token_ = EventLoop::kNoToken;
  TimerId expiry_{};
  std::size_t outstanding_ = 0;  // loop only

  std::mutex mutex_;  // guards what follows
  std::condition_variable wanted_;
  std::deque<Item> queue_;
  std::vector<Item> finished_;
  std::unordered_map<const void*, Share> shares_;
  bool stopping_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace sluice
