// Turns away the clients whose User-Agent has a word in it.
#include <sluice/kit/request.h>
#include <sluice/module.h>

#include <iterator>
#include <string>
#include <string_view>

namespace {

constexpr sluice::OptionInfo kOptions[] = {
    {.name = "agent", .fallback = "BadBot", .help = "A word in the User-Agent of those who are turned away"},
};

class FilterName : public sluice::Filter {
 public:
  // The server makes one per worker and place.
  explicit FilterName(sluice::Host& host)
      : host_(host), agent_(std::string_view(host.option("agent"))), refused_(host.counter("refused")) {
    if (agent_.empty()) host.reject("the option agent is empty: write a word");
  }

  // Sees a request before the handlers do. It runs on the worker's loop, so it must not block.
  void request(sluice::Exchange& exchange) override {
    const auto agent = sluice::kit::field(exchange.request(), sluice::FieldId::user_agent);
    if (!agent || agent->find(agent_) == std::string_view::npos) return;  // the request goes on
    host_.count(refused_, 1);
    exchange.fail(403);
  }

  // Sees the answers of others, and may change them.
  void answer(sluice::Exchange&, sluice::AnswerHead& head) override { head.add("Vary", "User-Agent"); }

 private:
  sluice::Host& host_;
  const std::string agent_;
  const std::uint32_t refused_;  // a counter
};

}  // namespace

SLUICE_MODULE(FilterName, .name = "filter_name", .version = "0.1.0", .summary = "Turns robots away",
              .options = kOptions, .option_count = std::size(kOptions));
