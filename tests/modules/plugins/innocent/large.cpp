// Answers every request with ten mebibytes.
#include <sluice/module.h>

#include <string>

struct Large : sluice::Handler {
  explicit Large(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send(content_); }
  std::string content_ = std::string(std::size_t{10} << 20, 'x');
};

SLUICE_MODULE(Large, .name = "large", .version = "1.0.0", .summary = "Answers with ten mebibytes",
              .default_mount = "/large/");
