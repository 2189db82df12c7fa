// Holds the loop for as many milliseconds as the path says, or, if that is "gate", until the gate is open: what
// a handler must not.
#include <sluice/module.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "gate.h"

namespace {

class Sleeper : public sluice::Handler {
 public:
  explicit Sleeper(sluice::Host& host) : folder_fd_(host.folder().fd) {}
  void handle(sluice::Exchange& exchange) override {
    const std::string path(std::string_view(exchange.request().path));
    std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(path.c_str())));
    if (path == "gate") wait_at_gate(folder_fd_);
    exchange.send("awake\n");
  }

 private:
  int folder_fd_;
};

}  // namespace

SLUICE_MODULE(Sleeper, .name = "sleeper", .version = "1.0.0", .summary = "Sleeps on the loop",
              .default_mount = "/sleeper/");
