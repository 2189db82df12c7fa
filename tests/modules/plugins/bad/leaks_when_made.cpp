// Leaks with each handler. An option chooses what.
#include <sluice/module.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

struct Bad : sluice::Handler {
  explicit Bad(sluice::Host& host) {
    const std::string_view what = host.option("what");
    if (what == "memory") *static_cast<volatile char*>(std::malloc(100)) = 1;
    if (what == "descriptor") ::dup(0);
    if (what == "thread") std::thread([] { ::pause(); }).detach();
    if (what == "hold") host.hold();
  }
  void handle(sluice::Exchange& exchange) override { exchange.send("x"); }
};
constexpr sluice::OptionInfo kOptions[] = {
    {"what", sluice::OptionType::text, 0, "memory", "to leave", nullptr}};

SLUICE_MODULE(Bad, .name = "leaks_when_made", .version = "1.0.0", .summary = "Leaves things behind",
              .default_mount = "/leaks_when_made/", .options = kOptions, .option_count = 1);
