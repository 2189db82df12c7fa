// A handler whose constructor writes to an unmapped address.
#include <sluice/module.h>

#include <cstdint>

namespace {

volatile std::uintptr_t nowhere = 16;  // volatile, so that the compiler does not object

class Create : public sluice::Handler {
 public:
  explicit Create(sluice::Host&) { *reinterpret_cast<volatile int*>(nowhere) = 1; }
  void handle(sluice::Exchange& exchange) override { exchange.send("never\n"); }
};

}  // namespace

SLUICE_MODULE(Create, .name = "swapped", .version = "2.0.0", .summary = "Cannot be created",
              .default_mount = "/swapped/");
