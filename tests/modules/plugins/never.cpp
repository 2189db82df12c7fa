// Neither answers nor defers.
#include <sluice/module.h>

namespace {

class Never : public sluice::Handler {
 public:
  explicit Never(sluice::Host&) {}
  void handle(sluice::Exchange&) override {}
};

}  // namespace

SLUICE_MODULE(Never, .name = "never", .version = "1.0.0", .summary = "Does not answer",
              .default_mount = "/never/");
