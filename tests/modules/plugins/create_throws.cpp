// A handler whose constructor throws.
#include <sluice/module.h>

#include <stdexcept>

namespace {

class Create : public sluice::Handler {
 public:
  explicit Create(sluice::Host&) { throw std::runtime_error("it is not my day"); }
  void handle(sluice::Exchange& exchange) override { exchange.send("never\n"); }
};

}  // namespace

SLUICE_MODULE(Create, .name = "swapped", .version = "2.0.0", .summary = "Cannot be created",
              .default_mount = "/swapped/");
