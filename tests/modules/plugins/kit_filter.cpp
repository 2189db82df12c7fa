// A filter that is written as a Flow: it looks up, on a thread, who may pass.
#include <sluice/kit.h>
#include <sluice/module.h>

#include <optional>
#include <string>

namespace {

namespace kit = sluice::kit;

class KitFilter : public sluice::Filter {
 public:
  explicit KitFilter(sluice::Host& host) : host_(host) {}

  void request(sluice::Exchange& exchange) override { kit::answer_by(host_, exchange, judge); }

 private:
  static kit::Flow judge(kit::Call& call) {
    const std::optional<std::string> key = call.cookie("key");
    if (call.request().path.size == 0) co_return call.pass();  // at once
    if (!key) throw kit::Refuse{401, "Send a cookie named key"};
    const bool may_pass = co_await call.offload([&] { return *key == "42"; });
    if (!may_pass) throw kit::Refuse{403};
    call.exchange().note("key", *key);
    call.pass();
  }

  sluice::Host& host_;
};

}  // namespace

SLUICE_MODULE(KitFilter, .name = "kit_filter", .version = "1.0.0", .summary = "Lets in who has the key");
