// Greets: the smallest module there is.
#include <sluice/module.h>

class Hello : public sluice::Handler {
 public:
  explicit Hello(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    exchange.field("Content-Type", "text/plain; charset=utf-8");
    exchange.send("Hello from a module of sluice.\n");
  }
};

SLUICE_MODULE(Hello, .name = "hello", .version = "1.0.0", .summary = "Answers with a greeting",
              .default_mount = "/hello/");
