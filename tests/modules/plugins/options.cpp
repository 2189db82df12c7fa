// Has an option of every type, and answers with their values as text and as numbers.
#include <sluice/module.h>

#include <string>
#include <string_view>

namespace {

constexpr sluice::OptionInfo kOptions[] = {
    {"text", sluice::OptionType::text, 0, "plain", "any text", nullptr},
    {"number", sluice::OptionType::number, 0, "7", "a number", nullptr},
    {"size", sluice::OptionType::size, 0, "4k", "a size", nullptr},
    {"time", sluice::OptionType::duration_ms, 0, "2s", "a duration", nullptr},
    {"flag", sluice::OptionType::flag, 0, "off", "a flag", nullptr},
    {"choice", sluice::OptionType::choice, 0, "two", "one of three", "one|two|three"},
};

class Options : public sluice::Handler {
 public:
  explicit Options(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    std::string text = "mount=" + std::string(std::string_view(host_.mount())) + "\n";
    for (const sluice::OptionInfo& option : kOptions) {
      text += std::string(option.name) + "=" + std::string(std::string_view(host_.option(option.name)));
      text += "|" + std::to_string(host_.number(option.name)) + "\n";
    }
    exchange.send(text);
  }

 private:
  sluice::Host& host_;
};

}  // namespace

SLUICE_MODULE(Options, .name = "options", .version = "1.0.0", .summary = "Answers its options",
              .default_mount = "/options/", .options = kOptions, .option_count = 6);
