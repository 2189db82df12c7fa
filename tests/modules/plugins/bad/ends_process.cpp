// Ends its process, or hangs. An option chooses where.
#include <sluice/module.h>

#include <cstdlib>
#include <string>

struct Bad : sluice::Handler {
  explicit Bad(sluice::Host& host) : where_(host.option("where")) {
    if (where_ == "create") std::abort();
  }
  ~Bad() override {
    if (where_ == "destroy") std::abort();
  }
  void handle(sluice::Exchange& exchange) override {
    if (where_ == "post" && exchange.request().method == sluice::Method::post) std::abort();
    while (where_ == "hang") turns_ = turns_ + 1;
    exchange.send("x");
  }
  std::string where_;
  volatile unsigned turns_ = 0;
};
constexpr sluice::OptionInfo kOptions[] = {
    {"where", sluice::OptionType::text, 0, "nowhere", "to abort or hang", nullptr}};

SLUICE_MODULE(Bad, .name = "ends_process", .version = "1.0.0", .summary = "Crashes",
              .default_mount = "/ends_process/", .options = kOptions, .option_count = 1);
