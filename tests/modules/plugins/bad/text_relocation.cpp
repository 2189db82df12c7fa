// Has an absolute address in its code.
#include <sluice/module.h>

asm(".text\n.quad sluice_module\n.previous");
struct Bad : sluice::Handler {
  explicit Bad(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send("x"); }
};

SLUICE_MODULE(Bad, .name = "text_relocation", .version = "1.0.0", .summary = "Has a text relocation",
              .default_mount = "/text_relocation/");
