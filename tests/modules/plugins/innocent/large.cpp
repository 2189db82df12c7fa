// Answers every request with five mebibytes, which are more than the kernel holds for a client.
#include <sluice/module.h>

#include <string>

struct Large : sluice::Handler {
  explicit Large(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override { exchange.send(content_); }
  std::string content_ = std::string(std::size_t{5} << 20, 'x');
};

SLUICE_MODULE(Large, .name = "large", .version = "1.0.0", .summary = "Answers with five mebibytes",
              .default_mount = "/large/");
