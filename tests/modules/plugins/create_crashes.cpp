// A handler whose constructor writes where nothing is.
#include <sluice/module.h>

#include <cstdint>

namespace {

class Create : public sluice::Handler {
 public:
  explicit Create(sluice::Host&) { *reinterpret_cast<volatile int*>(place_) = 1; }
  void handle(sluice::Exchange& exchange) override { exchange.send("never\n"); }

 private:
  std::uintptr_t place_ = 16;
};

}  // namespace

SLUICE_MODULE(Create, .name = "swapped", .version = "2.0.0", .summary = "Cannot be created",
              .default_mount = "/swapped/");
