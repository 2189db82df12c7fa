// Claims to be built for the next major version of the interface.
#include <sluice/module.h>

namespace {

class Refused : public sluice::Handler {
 public:
  explicit Refused(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send("must not be loaded\n"); }
};

constexpr sluice::ModuleInfo describe() {
  sluice::ModuleInfo info = sluice::detail::describe<Refused>({.name = "abi_wrong_major",
                                                               .version = "1.0.0",
                                                               .summary = "Must be refused",
                                                               .default_mount = "/abi_wrong_major/"});
  info.abi_major = sluice::kAbiMajor + 1;
  return info;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const sluice::ModuleInfo sluice_module;
constinit const sluice::ModuleInfo sluice_module = describe();
