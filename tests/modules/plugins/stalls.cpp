// Begins a body and then only asks to be called again. Each call takes so long that one turn does not call
// all of several such bodies.
#include <sluice/module.h>
#include <unistd.h>

namespace {

class StallingBody : public sluice::Body {
 public:
  sluice::Progress pump(sluice::Sink& sink) override {
    const sluice::Bytes piece("the first part");
    if (!begun_) sink.write(&piece, 1);
    begun_ = true;
    ::usleep(300);
    return sluice::Progress::more;
  }

 private:
  bool begun_ = false;
};

class Stalls : public sluice::Handler {
 public:
  explicit Stalls(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.stream(1000, new StallingBody); }
};

}  // namespace

SLUICE_MODULE(Stalls, .name = "stalls", .version = "1.0.0", .summary = "Never goes on with its body",
              .default_mount = "/stalls/");
