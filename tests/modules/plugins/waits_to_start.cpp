// A handler that cannot be created before the gate is open. It logs that it waits.
#include <sluice/module.h>

#include "gate.h"

namespace {

class WaitsToStart : public sluice::Handler {
 public:
  explicit WaitsToStart(sluice::Host& host) {
    if (gate_is_closed(host.folder().fd)) host.log(sluice::LogLevel::info, "waiting at the gate");
    wait_at_gate(host.folder().fd);
  }
  void handle(sluice::Exchange& exchange) override { exchange.send("started\n"); }
};

}  // namespace

SLUICE_MODULE(WaitsToStart, .name = "waits_to_start", .version = "1.0.0", .summary = "Waits to be created",
              .default_mount = "/waits_to_start/");
