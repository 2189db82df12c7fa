// Refuses to be created without a reason: always with the option how=always, else when a value is odd.
#include <sluice/module.h>

#include <memory>
#include <string>
#include <tl/expected.hpp>

struct Bad : sluice::Handler {
  static tl::expected<std::unique_ptr<Bad>, std::string> create(sluice::Host& host) {
    if (!std::string_view(host.option("how")).empty()) return std::unique_ptr<Bad>();
    return std::make_unique<Bad>();
  }
  void handle(sluice::Exchange& exchange) override { exchange.send("x"); }
};
constexpr sluice::OptionInfo kOptions[] = {{"how", sluice::OptionType::text, 0, "", "how to refuse", nullptr}};

SLUICE_MODULE(Bad, .name = "silent_refusal", .version = "1.0.0", .summary = "Gives no reason",
              .default_mount = "/silent_refusal/", .options = kOptions, .option_count = 1);
