// Defers a request, and never resumes it.
#include <sluice/module.h>

struct Forgotten : sluice::Task {
  void resumed(sluice::Exchange& exchange) override { exchange.send("x"); }
};
struct Bad : sluice::Handler {
  explicit Bad(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.defer(new Forgotten); }
};

SLUICE_MODULE(Bad, .name = "never_resumes", .version = "1.0.0", .summary = "Forgets a request",
              .default_mount = "/never_resumes/");
