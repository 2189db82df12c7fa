// Has a unique symbol: the static of a class template.
#include <sluice/module.h>

template <typename T>
struct __attribute__((visibility("default"))) Counter {
  static inline int count = 0;
};
struct Bad : sluice::Handler {
  explicit Bad(sluice::Host&) { ++Counter<int>::count; }
  void handle(sluice::Exchange& exchange) override { exchange.send("x"); }
};

SLUICE_MODULE(Bad, .name = "unique_symbol", .version = "1.0.0", .summary = "Cannot be unloaded",
              .default_mount = "/unique_symbol/");
