// Exports a symbol besides sluice_module.
#include <sluice/module.h>

extern "C" __attribute__((visibility("default"))) int more() {
  return 1;
}
struct Bad : sluice::Handler {
  explicit Bad(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send("x"); }
};

SLUICE_MODULE(Bad, .name = "exports_more", .version = "1.0.0", .summary = "Exports too much",
              .default_mount = "/exports_more/");
