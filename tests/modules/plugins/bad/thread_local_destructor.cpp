// Has a thread_local whose destructor keeps the module in memory.
#include <sluice/module.h>

#include <string>

struct Bad : sluice::Handler {
  explicit Bad(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    thread_local std::string last;
    last = std::string_view(exchange.request().target);
    exchange.send(last);
  }
};

SLUICE_MODULE(Bad, .name = "thread_local_destructor", .version = "1.0.0", .summary = "Cannot be unloaded",
              .default_mount = "/thread_local_destructor/");
