// Has faults in its description and its options.
#include <sluice/module.h>

struct Bad : sluice::Handler {
  explicit Bad(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send("x"); }
};

constexpr sluice::OptionInfo kOptions[] = {
    {"limit", sluice::OptionType::number, 0, "many", "", nullptr},
    {"limit", sluice::OptionType::choice, 0, "a", "help", nullptr},
    {"wait", sluice::OptionType::duration_ms, 0, "20", "help", nullptr},
};

SLUICE_MODULE(Bad, .name = "two words", .version = "1.0.0", .summary = "", .default_mount = "no/slash",
              .options = kOptions, .option_count = 3);
