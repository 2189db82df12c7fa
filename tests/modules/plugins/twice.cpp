// Answers twice, which a handler must not do. The first answer counts.
#include <sluice/module.h>

namespace {

class NeverPumped : public sluice::Body {
 public:
  sluice::Progress pump(sluice::Sink&) override { return sluice::Progress::failed; }
};

class NeverResumed : public sluice::Task {
 public:
  void resumed(sluice::Exchange& exchange) override { exchange.send("third\n"); }
};

class Twice : public sluice::Handler {
 public:
  explicit Twice(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    exchange.send("first\n");
    if (std::string_view(exchange.request().path) == "stream") {
      exchange.stream(6, new NeverPumped);
    } else if (std::string_view(exchange.request().path) == "defer") {
      exchange.defer(new NeverResumed);
    } else {
      exchange.send("second\n");
    }
  }
};

}  // namespace

SLUICE_MODULE(Twice, .name = "twice", .version = "1.0.0", .summary = "Answers twice",
              .default_mount = "/twice/");
