// Holds the loop for as many milliseconds as the path says, which a handler must not.
#include <sluice/module.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

namespace {

class Sleeper : public sluice::Handler {
 public:
  explicit Sleeper(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    const std::string path(std::string_view(exchange.request().path));
    std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(path.c_str())));
    exchange.send("awake\n");
  }
};

}  // namespace

SLUICE_MODULE(Sleeper, .name = "sleeper", .version = "1.0.0", .summary = "Sleeps on the loop",
              .default_mount = "/sleeper/");
