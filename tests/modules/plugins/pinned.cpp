// Leaves a thread_local object on the loop's thread, whose destructor keeps the module in memory.
#include <sluice/module.h>

#include <string>

namespace {

struct Left {
  std::string text;
  ~Left() { text.clear(); }
};
thread_local Left left_behind;

class Pinned : public sluice::Handler {
 public:
  explicit Pinned(sluice::Host&) {
    left_behind.text = "a text that is too long to be kept in the object itself";
  }
  void handle(sluice::Exchange& exchange) override { exchange.send("pinned\n"); }
};

}  // namespace

SLUICE_MODULE(Pinned, .name = "pinned", .version = "1.0.0", .summary = "Cannot be unloaded",
              .default_mount = "/pinned/");
