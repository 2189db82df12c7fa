// Answers with the text of a library that lies beside it, where only its run path leads.
#include <sluice/module.h>

extern "C" const char* beside_library();

struct Beside : sluice::Handler {
  explicit Beside(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send(beside_library()); }
};

SLUICE_MODULE(Beside, .name = "beside", .version = "1.0.0", .summary = "Needs a library beside it",
              .default_mount = "/beside/");
