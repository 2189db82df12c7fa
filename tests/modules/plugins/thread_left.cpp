// Starts a thread of its own that outlives the handler.
#include <sluice/module.h>

#include <chrono>
#include <thread>

namespace {

class ThreadLeft : public sluice::Handler {
 public:
  explicit ThreadLeft(sluice::Host&) {
    std::thread([] {
      for (;;) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }).detach();
  }
  void handle(sluice::Exchange& exchange) override { exchange.send("with a thread\n"); }
};

}  // namespace

SLUICE_MODULE(ThreadLeft, .name = "thread_left", .version = "1.0.0", .summary = "Leaves a thread behind",
              .default_mount = "/thread_left/");
