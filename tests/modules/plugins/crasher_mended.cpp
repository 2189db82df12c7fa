// The crasher without its faults.
#include <sluice/module.h>

namespace {

class Mended : public sluice::Handler {
 public:
  explicit Mended(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send("mended\n"); }
};

}  // namespace

SLUICE_MODULE(Mended, .name = "crasher", .version = "1.1.0", .summary = "No longer crashes",
              .default_mount = "/crasher/");
