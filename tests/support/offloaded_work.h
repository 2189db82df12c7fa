// Calls for an Offload under test, and the loop on which they are done. The test's thread.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "loop/offload.h"

namespace sluice::test {

// An event loop that a test turns.
struct Loop {
  WorkerStats stats;
  std::unique_ptr<EventLoop> loop = std::move(*EventLoop::create(stats));

  template <typename Done>
  bool run_until(Done done, int turns = 3000) {
    for (int i = 0; i < turns && !done(); ++i) loop->turn(10);
    return done();
  }
};

// What became of the calls of one kind.
struct Seen {
  int done = 0;
  int unrun = 0;
  int destroyed = 0;
  std::thread::id thread;
};

class TestWork final : public Work {
 public:
  TestWork(Seen& seen, std::function<void()> call) : seen_(seen), call_(std::move(call)) {}
  ~TestWork() override { ++seen_.destroyed; }
  void run() override {
    thread_ = std::this_thread::get_id();
    call_();
  }
  void done(bool ran) override {
    ++seen_.done;
    seen_.unrun += ran ? 0 : 1;
    seen_.thread = thread_;
  }

 private:
  Seen& seen_;
  std::function<void()> call_;
  std::thread::id thread_;
};

inline std::unique_ptr<Work> work(
    Seen& seen, std::function<void()> call = [] {}) {
  return std::make_unique<TestWork>(seen, std::move(call));
}

}  // namespace sluice::test
