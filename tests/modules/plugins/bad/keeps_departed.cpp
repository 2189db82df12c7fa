// Takes a hold for each client that leaves, and never releases it.
#include <sluice/module.h>

struct Waiting : sluice::Task {
  explicit Waiting(sluice::Host& host) : host_(host) {}
  ~Waiting() override {
    if (!answered_) host_.hold();
  }
  void resumed(sluice::Exchange& exchange) override {
    answered_ = true;
    exchange.send("x");
  }
  sluice::Host& host_;
  bool answered_ = false;
};
struct Bad : sluice::Handler {
  explicit Bad(sluice::Host& host) : host_(host) {}
  void handle(sluice::Exchange& exchange) override {
    host_.resume(exchange.ticket());
    exchange.defer(new Waiting(host_));
  }
  sluice::Host& host_;
};

SLUICE_MODULE(Bad, .name = "keeps_departed", .version = "1.0.0", .summary = "Holds for ever",
              .default_mount = "/keeps_departed/");
