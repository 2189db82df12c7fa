// Sends a field, a status or a head that HTTP forbids. An option chooses which.
#include <sluice/module.h>

#include <string>

struct Bad : sluice::Handler {
  explicit Bad(sluice::Host& host) : what_(host.option("what")) {}
  void handle(sluice::Exchange& exchange) override {
    if (what_ == "control") exchange.field("X-Line", "one\r\nX-Two: two");
    if (what_ == "framing") exchange.field("Content-Length", "5");
    if (what_ == "status") exchange.status(99);
    if (what_ == "head" && exchange.request().method == sluice::Method::head) exchange.field("X-Head", "yes");
    exchange.send("x");
  }
  std::string what_;
};
constexpr sluice::OptionInfo kOptions[] = {
    {"what", sluice::OptionType::text, 0, "control", "to break", nullptr}};

SLUICE_MODULE(Bad, .name = "breaks_http", .version = "1.0.0", .summary = "Breaks HTTP",
              .default_mount = "/breaks_http/", .options = kOptions, .option_count = 1);
