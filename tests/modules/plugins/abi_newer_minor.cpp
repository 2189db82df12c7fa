// Claims to be built for a newer minor version of the interface.
#include <sluice/module.h>

namespace {

class Refused : public sluice::Handler {
 public:
  explicit Refused(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send("must not be loaded\n"); }
};

constexpr sluice::ModuleInfo describe() {
  sluice::ModuleInfo info = sluice::detail::describe<Refused>({.name = "abi_newer_minor",
                                                               .version = "1.0.0",
                                                               .summary = "Must be refused",
                                                               .default_mount = "/abi_newer_minor/"});
  info.abi_minor = sluice::kAbiMinor + 1;
  return info;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const sluice::ModuleInfo sluice_module;
constinit const sluice::ModuleInfo sluice_module = describe();
