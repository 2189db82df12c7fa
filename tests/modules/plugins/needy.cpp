// Declares that it connects to other machines, and writes files.
#include <sluice/module.h>

namespace {

class Needy : public sluice::Handler {
 public:
  explicit Needy(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send("needy\n"); }
};

}  // namespace

SLUICE_MODULE(Needy, .name = "needy", .version = "1.0.0", .summary = "Needs the network and a folder",
              .default_mount = "/needy/", .needs = sluice::kNeedsNetwork | sluice::kNeedsWriting);
