// Has what Rust's compiler puts into every module: a weak reference to the function that registers
// destructors of thread-locals, and an exported symbol of its run-time library.
#include <sluice/module.h>

extern "C" __attribute__((weak)) int __cxa_thread_atexit_impl(void (*)(void*), void*, void*);
extern "C" __attribute__((visibility("default"), used)) void rust_eh_personality() {}

struct OtherRuntime : sluice::Handler {
  explicit OtherRuntime(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    exchange.send(&__cxa_thread_atexit_impl == nullptr ? "without" : "with");
  }
};

SLUICE_MODULE(OtherRuntime, .name = "other_runtime", .version = "1.0.0", .summary = "Brings a run-time library",
              .default_mount = "/other_runtime/");
