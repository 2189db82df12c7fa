// A handler whose constructor never returns.
#include <sluice/module.h>

#include <unistd.h>

namespace {

class Create : public sluice::Handler {
 public:
  explicit Create(sluice::Host&) {
    for (;;) ::pause();
  }
  void handle(sluice::Exchange& exchange) override { exchange.send("never\n"); }
};

}  // namespace

SLUICE_MODULE(Create, .name = "swapped", .version = "2.0.0", .summary = "Cannot be created",
              .default_mount = "/swapped/");
