// Takes a large part of the static block of thread-local storage, which unloading does not give back.
#include <sluice/module.h>

namespace {

[[gnu::tls_model("initial-exec")]] thread_local volatile char block[600];

class InitialExec : public sluice::Handler {
 public:
  explicit InitialExec(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    block[0] = 1;
    exchange.send("answered\n");
  }
};

}  // namespace

SLUICE_MODULE(InitialExec, .name = "initial_exec", .version = "1.0.0", .summary = "Has initial-exec TLS",
              .default_mount = "/initial_exec/");
