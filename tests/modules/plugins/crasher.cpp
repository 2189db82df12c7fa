// Ends its process. Below /crash it writes to an unmapped address, below /offload it does so on a thread of
// the server, below /thread a moment later on a thread of its own, below /report with a handler that takes
// its time. Below /abort it aborts, and below /leave it ends the thread that it runs on. Answers every other
// request.
#include <sluice/module.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>

namespace {

volatile std::uintptr_t nowhere = 16;  // volatile, so that the compiler does not object

[[gnu::noinline]] void write_nowhere() {
  *reinterpret_cast<volatile int*>(nowhere) = 1;
}

struct sigaction servers_own;

// As a library that reports crashes does: it calls the handlers that were installed before its own.
void report_crash(int signal, siginfo_t* info, void* context) {
  servers_own.sa_sigaction(signal, info, context);
  ::sleep(5);
}

void report_crashes() {
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  action.sa_sigaction = report_crash;
  ::sigaction(SIGSEGV, &action, &servers_own);
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
    if (path == "report") {
      report_crashes();
      write_nowhere();
    }
    if (path == "leave") ::syscall(SYS_exit, 0);
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
