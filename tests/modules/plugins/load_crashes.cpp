// Crashes while it is loaded, before its name is known.
#include <sluice/module.h>

#include <cstdint>

namespace {

volatile std::uintptr_t nowhere = 16;  // volatile, so that the compiler does not object

[[gnu::constructor]] void crash() {
  *reinterpret_cast<volatile int*>(nowhere) = 1;
}

class LoadCrashes : public sluice::Handler {
 public:
  explicit LoadCrashes(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send("never\n"); }
};

}  // namespace

SLUICE_MODULE(LoadCrashes, .name = "load_crashes", .version = "1.0.0", .summary = "Cannot be loaded",
              .default_mount = "/load_crashes/");
