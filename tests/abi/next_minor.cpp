// Uses what the interface one minor ahead has appended: to Handler, Host, Request and FieldId.
#include <sluice/module.h>

#include <string>

namespace {

class NextMinor : public sluice::Handler {
 public:
  explicit NextMinor(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    exchange.send("host " + std::to_string(host_.appended()) + ", request " +
                  std::to_string(exchange.request().appended_member));
  }
  std::uint32_t appended() override { return 42; }

 private:
  sluice::Host& host_;
};

}  // namespace

SLUICE_MODULE(NextMinor, .name = "next_minor", .version = "1.0.0", .summary = "Is one minor ahead",
              .default_mount = "/next_minor/");
