// Refuses to be created: by a call, by an exception or silently. An option chooses.
#include <sluice/module.h>

#include <tl/expected.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace {

class Reject : public sluice::Handler {
 public:
  static tl::expected<std::unique_ptr<Reject>, std::string> create(sluice::Host& host) {
    const std::string_view how = host.option("how");
    if (how == "error") return tl::make_unexpected(std::string("the moon is in the wrong phase: wait a week"));
    if (how == "call") {
      host.reject("it has been told to refuse: say how=not");
      return std::unique_ptr<Reject>();
    }
    if (how == "silent") return std::unique_ptr<Reject>();
    return std::make_unique<Reject>();
  }
  void handle(sluice::Exchange& exchange) override { exchange.send("accepted\n"); }
};

constexpr sluice::OptionInfo kOptions[] = {
    {"how", sluice::OptionType::choice, 0, "not", "how to refuse", "not|call|error|silent"},
};

}  // namespace

SLUICE_MODULE(Reject, .name = "reject", .version = "1.0.0", .summary = "Refuses its options",
              .default_mount = "/reject/", .options = kOptions, .option_count = 1);
