// Has a unique symbol: the static of an inline function.
#include <sluice/module.h>

template <typename T>
__attribute__((visibility("default"))) int& counter() {
  static int count = 0;
  return count;
}
struct Bad : sluice::Handler {
  explicit Bad(sluice::Host&) { ++counter<int>(); }
  void handle(sluice::Exchange& exchange) override { exchange.send("x"); }
};

SLUICE_MODULE(Bad, .name = "unique_symbol", .version = "1.0.0", .summary = "Cannot be unloaded",
              .default_mount = "/unique_symbol/");
