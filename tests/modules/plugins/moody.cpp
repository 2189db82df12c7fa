// A handler that refuses to be created while there is a file "refuse" in the document root. The build defines
// its MODULE_NAME.
#include <sluice/module.h>
#include <unistd.h>

namespace {

class Moody : public sluice::Handler {
 public:
  explicit Moody(sluice::Host& host) {
    if (::faccessat(host.folder().fd, "refuse", F_OK, 0) == 0) host.reject("not while there is a file refuse");
  }
  void handle(sluice::Exchange& exchange) override { exchange.send("well\n"); }
};

}  // namespace

SLUICE_MODULE(Moody, .name = MODULE_NAME, .version = "1.0.0", .summary = "Refuses now and then",
              .default_mount = "/" MODULE_NAME "/");
