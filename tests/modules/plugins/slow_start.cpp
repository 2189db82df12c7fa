// A handler whose constructor takes some time.
#include <sluice/module.h>

#include <chrono>
#include <thread>

namespace {

class SlowStart : public sluice::Handler {
 public:
  explicit SlowStart(sluice::Host&) { std::this_thread::sleep_for(std::chrono::seconds(2)); }
  void handle(sluice::Exchange& exchange) override { exchange.send("at last\n"); }
};

}  // namespace

SLUICE_MODULE(SlowStart, .name = "slow_start", .version = "1.0.0", .summary = "Is slow to be created",
              .default_mount = "/slow_start/");
