// Writes more than it has declared.
#include <sluice/module.h>

namespace {

class WrongBody : public sluice::Body {
 public:
  sluice::Progress pump(sluice::Sink& sink) override {
    const sluice::Bytes piece("twenty bytes of text");
    sink.write(&piece, 1);
    return sluice::Progress::done;
  }
};

class Overrun : public sluice::Handler {
 public:
  explicit Overrun(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.stream(10, new WrongBody); }
};

}  // namespace

SLUICE_MODULE(Overrun, .name = "overrun", .version = "1.0.0", .summary = "Writes more than it declared",
              .default_mount = "/overrun/");
