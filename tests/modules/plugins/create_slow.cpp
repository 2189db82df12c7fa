// A handler whose constructor takes longer than a worker may be held up.
#include <sluice/module.h>

#include <chrono>
#include <thread>

namespace {

class Create : public sluice::Handler {
 public:
  explicit Create(sluice::Host&) { std::this_thread::sleep_for(std::chrono::milliseconds(1'200)); }
  void handle(sluice::Exchange& exchange) override { exchange.send("slow\n"); }
};

}  // namespace

SLUICE_MODULE(Create, .name = "swapped", .version = "2.0.0", .summary = "Takes its time",
              .default_mount = "/swapped/");
