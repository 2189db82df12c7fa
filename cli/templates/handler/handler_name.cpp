// Greets the name in the path: GET /handler_name/you.
#include <sluice/module.h>

#include <string>
#include <string_view>

namespace {

constexpr sluice::OptionInfo kOptions[] = {
    {.name = "greeting", .fallback = "Hello", .help = "What it says before the name"},
};

class HandlerName : public sluice::Handler {
 public:
  // The server makes one per worker and mount.
  explicit HandlerName(sluice::Host& host)
      : host_(host), greeting_(std::string_view(host.option("greeting"))), greeted_(host.counter("greeted")) {
    if (greeting_.empty()) host.reject("the option greeting is empty: write a word");
  }

  // Answers one request. It runs on the worker's loop, so it must not block.
  void handle(sluice::Exchange& exchange) override {
    const sluice::Request& request = exchange.request();
    if (request.method != sluice::Method::get && request.method != sluice::Method::head) {
      exchange.field("Allow", "GET, HEAD");
      return exchange.fail(405);
    }
    const std::string_view name = request.path;
    std::string text = greeting_ + ", " + std::string(name.empty() ? "world" : name);
    text += std::string_view(request.query) == "loud" ? "!\n" : ".\n";
    host_.count(greeted_, 1);
    exchange.field("Content-Type", "text/plain; charset=utf-8");
    exchange.send(text);
  }

 private:
  sluice::Host& host_;
  const std::string greeting_;
  const std::uint32_t greeted_;  // a counter
};

}  // namespace

SLUICE_MODULE(HandlerName, .name = "handler_name", .version = "0.1.0", .summary = "Greets the name in the path",
              .default_mount = "/handler_name/", .options = kOptions, .option_count = std::size(kOptions));
