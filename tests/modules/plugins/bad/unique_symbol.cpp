// Has a unique symbol, as g++ makes of the static of a class template. Written as assembly, because clang makes
// none.
#include <sluice/module.h>

asm(R"(
    .data
    .globl counter
    .type counter, %gnu_unique_object
    .size counter, 4
counter:
    .long 0
    .text
)");
extern int counter;

struct Bad : sluice::Handler {
  explicit Bad(sluice::Host&) { ++counter; }
  void handle(sluice::Exchange& exchange) override { exchange.send("x"); }
};

SLUICE_MODULE(Bad, .name = "unique_symbol", .version = "1.0.0", .summary = "Cannot be unloaded",
              .default_mount = "/unique_symbol/");
