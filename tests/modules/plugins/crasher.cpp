// Does what ends a process: below /crash it writes where nothing is, below /abort it aborts, below /offload it
// does the former on a thread of the server, below /thread a moment later on a thread of its own. Answers
// everything else.
#include <sluice/module.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>

namespace {

volatile std::uintptr_t nowhere = 16;  // volatile, so that the compiler does not object

[[gnu::noinline]] void write_nowhere() {
  *reinterpret_cast<volatile int*>(nowhere) = 1;
}

class CrashingWork : public sluice::Work {
 public:
  void run() override { write_nowhere(); }
  void done(bool) override {}
};

class WaitForEver : public sluice::Task {
 public:
  void resumed(sluice::Exchange&) override {}
};

class Crasher : public sluice::Handler {
 public:
  explicit Crasher(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    const std::string_view path = exchange.request().path;
    if (path == "crash") write_nowhere();
    if (path == "abort") std::abort();
    if (path == "thread") {
      std::thread([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        write_nowhere();
      }).detach();
    }
    if (path == "offload") {
      auto work = std::make_unique<CrashingWork>();
      if (host_.offload(work.get())) static_cast<void>(work.release());
      return exchange.defer(new WaitForEver);
    }
    exchange.send("unharmed\n");
  }

 private:
  sluice::Host& host_;
};

}  // namespace

SLUICE_MODULE(Crasher, .name = "crasher", .version = "1.0.0", .summary = "Crashes where it is told to",
              .default_mount = "/crasher/");
