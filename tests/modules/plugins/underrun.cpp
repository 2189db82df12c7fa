// Writes less than it has declared.
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

class Underrun : public sluice::Handler {
 public:
  explicit Underrun(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.stream(100, new WrongBody); }
};

}  // namespace

SLUICE_MODULE(Underrun, .name = "underrun", .version = "1.0.0", .summary = "Writes less than it declared",
              .default_mount = "/underrun/");
