// Calls a function that no library has.
#include <sluice/module.h>

extern "C" int nobody_provides_this();
struct Bad : sluice::Handler {
  explicit Bad(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    exchange.status(static_cast<unsigned>(nobody_provides_this()));
  }
};

SLUICE_MODULE(Bad, .name = "undefined_symbol", .version = "1.0.0", .summary = "Misses a function",
              .default_mount = "/undefined_symbol/");
