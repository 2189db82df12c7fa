// Has no fault in its code. It is linked wrongly in several ways.
#include <sluice/module.h>

struct Bad : sluice::Handler {
  explicit Bad(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send("plain"); }
};

SLUICE_MODULE(Bad, .name = "plain", .version = "1.0.0", .summary = "Is linked wrongly",
              .default_mount = "/plain/");
